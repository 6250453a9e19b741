import { describe, expect, it } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { getLanguageService } from 'yaml-language-server';
import { BACKEND_KINDS } from '../../src/backend/registry.ts';
import { exportJsonSchema } from '../../src/config/json-schema.ts';

/** What people see who edit a configuration with a YAML language server and our JSON Schema. */
const service = getLanguageService({
  schemaRequestService: () => Promise.reject(new Error('nothing is asked over the network')),
  workspaceContext: { resolveRelativePath: (path) => path },
});
const schema = await exportJsonSchema(BACKEND_KINDS);
service.configure({
  validate: true,
  hover: true,
  completion: true,
  schemas: [{ uri: 'file:///pannier.schema.json', fileMatch: ['*.yaml'], schema }],
});

let documents = 0;

/** `|` in the text is the cursor. */
function open(text: string) {
  documents += 1; // the service remembers what it has parsed by name
  const document = TextDocument.create(`file:///${documents}.yaml`, 'yaml', 1, text.replace('|', ''));
  return { document, cursor: document.positionAt(Math.max(0, text.indexOf('|'))) };
}

async function problemsIn(text: string): Promise<string[]> {
  const found = await service.doValidation(open(text).document, false);
  return found.map(({ range, message }) => `${range.start.line + 1}:${range.start.character + 1} ${message}`).sort();
}

async function offeredAt(text: string): Promise<string[]> {
  const { document, cursor } = open(text);
  const { items } = await service.doComplete(document, cursor, false);
  return items.map(({ label }) => label);
}

async function hoverAt(text: string): Promise<string> {
  const { document, cursor } = open(text);
  const hover = await service.doHover(document, cursor);
  return (hover?.contents as { value?: string } | undefined)?.value ?? '';
}

describe('a broken configuration in an editor', () => {
  it.each([
    [
      'a misspelt key of a backend',
      'version: 1\nbackends:\n  bao: { kind: vault, adress: "https://x", auth: { method: cert } }\n',
      ['3:23 Property adress is not allowed.'],
    ],
    [
      'a kind that does not exist',
      'version: 1\nbackends:\n  bao: { kind: vualt }\n',
      ['3:16 Value is not accepted. Valid values: "vault", "file", "aws-secrets-manager", "acme", "kubernetes".'],
    ],
    [
      'a key of another login',
      'version: 1\nbackends:\n  bao: { kind: vault, auth: { method: kubernetes, role: shop, secretIdFile: ./x } }\n',
      ['3:63 Property secretIdFile is not allowed.'],
    ],
    [
      'two ways to fetch one secret',
      'version: 1\nsecrets:\n  app: { kv: secret/app, read: secret/data/app }\n',
      [
        '3:26 kv is there already: exactly one of kv, read, write, certificate, trustBundle, key, secretId, parameter, prefix, acme, kubernetesSecret, configMap is expected',
      ],
    ],
    [
      'no way to fetch a secret, and a key of another way',
      'version: 1\nsecrets:\n  app: { refresh: 5m }\n  db: { read: database/creds/shop, version: 3 }\n',
      [
        '3:3 exactly one of kv, read, write, certificate, trustBundle, key, secretId, parameter, prefix, acme, kubernetesSecret, configMap is expected',
        '4:3 version goes with kv only',
      ],
    ],
    [
      'numbers in the place of a duration and a mode',
      'version: 1\nsecrets:\n  app: { kv: a/b, refresh: 5 }\noutputs:\n  shop: { dir: /x, mode: 400, files: {} }\n',
      [
        '3:28 a duration longer than zero is expected, such as 500ms, 30s or 1h30m',
        '5:26 a mode of three octal digits in quotes is expected, such as "0400"',
      ],
    ],
    [
      'a misspelt section, and a map without its keys',
      'version: 1\nsecrts: {}\nstate: { path: /s, transit: {} }\n',
      ['2:1 Property secrts is not allowed.', '3:20 Missing property "backend".', '3:20 Missing property "key".'],
    ],
    [
      'two kinds of reload in one step',
      'version: 1\noutputs:\n  shop:\n    dir: /x\n    files: {}\n    reload:\n      - signal: { name: HUP, process: a }\n        command: { argv: [a] }\n',
      ['8:9 signal is there already: exactly one of signal, http, command, restart is expected'],
    ],
  ])('%s is said at its place', async (_title, text, problems) => {
    expect(await problemsIn(text)).toEqual(problems);
  });
});

describe('completion', () => {
  it('offers the sections that there are', async () => {
    const offered = await offeredAt('version: 1\n|');
    const services = ['exec', 'api', 'proxy', 'admin', 'sds'];
    expect(offered).toEqual(['backends', 'secrets', 'outputs', ...services, 'state', 'log', 'traces']);
  });

  it('offers the kinds of backends, and then the keys of the kind', async () => {
    expect(await offeredAt('version: 1\nbackends:\n  bao:\n    kind: |')).toEqual(
      BACKEND_KINDS.map(({ kind }) => kind),
    );
    const vault = await offeredAt('version: 1\nbackends:\n  bao:\n    kind: vault\n    |');
    expect(vault).toEqual(expect.arrayContaining(['address', 'auth', 'tls']));
    expect(vault).not.toContain('roleArn');
    const approle = 'version: 1\nbackends:\n  bao:\n    kind: vault\n    auth:\n      method: approle\n      |';
    expect(await offeredAt(approle)).toEqual(expect.arrayContaining(['roleIdFile', 'secretIdFile', 'mount']));
  });

  it('offers the formats of a file', async () => {
    const text = 'version: 1\noutputs:\n  shop:\n    dir: /x\n    files:\n      a:\n        format: |';
    expect(await offeredAt(text)).toEqual([
      ...['dotenv', 'json', 'properties', 'raw', 'yaml'],
      ...['pem', 'der', 'pkcs12', 'truststore'],
    ]);
  });
});

describe('hover', () => {
  it('tells what the key is for, with an example', async () => {
    const text = await hoverAt('version: 1\nsecrets:\n  app:\n    kv: a/b\n    max|Stale: 24h\n');
    expect(text).toContain('How old the last good value may grow while the backend fails. Default: no limit.');
    expect(text).toContain('24h');
  });

  it('tells it of a key of the chosen login too', async () => {
    const text = await hoverAt(
      'version: 1\nbackends:\n  bao:\n    kind: vault\n    auth:\n      method: approle\n      roleId|File: ./x\n',
    );
    expect(text).toContain('file with the role id');
  });
});
