import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readAnnotations } from '../../src/import/annotations/read-manifest.ts';
import { configOfAnnotations } from '../../src/import/annotations/to-config.ts';
import { problemsOfResult } from '../../src/import/check-result.ts';
import { convertConfig } from '../../src/import/convert-config.ts';
import { Notes } from '../../src/import/problem.ts';

async function importManifest(text: string, sink = false) {
  const found = await readAnnotations(text, 'pod.yaml');
  if ('unreadable' in found) throw new Error(found.unreadable.seen);
  const notes = new Notes();
  const { items, extras } = configOfAnnotations(found.annotations, notes);
  const imported = await convertConfig(items, ['pod.yaml'], {
    readSource: async () => ({ problem: 'none' }),
    sink,
    templatesBeside: false,
    keepsCredentials: false,
    notes,
    extras,
  });
  expect(await problemsOfResult(imported)).toEqual([]);
  return { ...imported, config: parse(imported.yaml) as Record<string, Record<string, unknown>> };
}

const pod = (annotations: Readonly<Record<string, string>>, prefix = 'vault.hashicorp.com/'): string =>
  JSON.stringify({
    kind: 'Pod',
    metadata: {
      annotations: Object.fromEntries(Object.entries(annotations).map(([name, value]) => [`${prefix}${name}`, value])),
    },
  });

describe('annotations of the injector', () => {
  it('in a manifest that is no YAML are told of in words', async () => {
    const found = await readAnnotations('kind: Pod\nmetadata:\n  a: 1\n b: 2\n', 'pod.yaml');
    const seen = 'unreadable' in found ? found.unreadable.seen : '';
    expect(seen).toMatch(/^the manifest is not YAML: [a-z]/);
    expect(seen).not.toMatch(/[A-Z]_[A-Z]/);
  });

  it('become a configuration with a login, secrets and files', async () => {
    const { config, problems } = await importManifest(
      pod({
        'agent-inject': 'true',
        role: 'shop',
        'auth-path': 'auth/k8s',
        'auth-config-token-path': '/t',
        service: 'https://vault:8200',
        'client-timeout': '30s',
        'agent-inject-secret-DB': 'database/creds/shop',
        'agent-inject-template-DB': '{{ with secret "database/creds/shop" }}{{ .Data.username }}{{ end }}',
        'agent-inject-perms-DB': '0400',
        'agent-inject-command-DB': '/reload',
        'agent-inject-file-app': 'config/app.json',
        'agent-inject-secret-app': 'secret/data/app',
        'agent-inject-template-app': '<< with secret "secret/data/app" >><< .Data.data.a >><< end >>',
        'agent-template-left-delim-app': '<<',
        'agent-template-right-delim-app': '>>',
        'secret-volume-path-app': '/etc/shop',
        'template-static-secret-render-interval': '30s',
        'agent-revoke-on-shutdown': 'true',
        'log-level': 'debug',
      }),
    );
    expect(problems).toEqual([]);
    expect(config).toMatchObject({
      backends: {
        vault: {
          address: 'https://vault:8200',
          timeout: '30s',
          auth: { method: 'kubernetes', role: 'shop', mount: 'k8s', tokenFile: '/t', revokeOnExit: true },
        },
      },
      secrets: { shop: { read: 'database/creds/shop' }, app: { kv: 'secret/app', refresh: '30s' } },
      outputs: {
        vault_secrets: {
          dir: '/vault/secrets',
          mode: '0400',
          files: { db: { content: '{{shop.username}}' } },
          reload: [{ command: { argv: ['/reload'] } }],
        },
        config: { dir: '/etc/shop/config', files: { 'app.json': { content: '{{app.a}}' } } },
      },
      log: { level: 'debug' },
    });
  });

  it('are read under the prefix of OpenBao too', async () => {
    const { config } = await importManifest(pod({ role: 'x', 'agent-inject-secret-a': 'kv1/a' }, 'openbao.org/'));
    expect(config['secrets']).toEqual({ a: { read: 'kv1/a' } });
  });

  it('without a template write what the injector writes, but no maps of Go', async () => {
    const json = await importManifest(
      pod({ role: 'x', 'agent-inject-secret-a': 'secret/data/a', 'agent-inject-default-template': 'json' }),
    );
    expect(json.problems).toEqual([]);
    expect(json.yaml).toContain('{{json a escape=\\"html\\"}}\\n');
    const lines = await importManifest(pod({ role: 'x', 'agent-inject-secret-a': 'kv1/a' }));
    expect(lines.problems).toEqual([]);
    const map = await importManifest(pod({ role: 'x', 'agent-inject-secret-a': 'secret/data/a' }));
    expect(map.problems).toMatchObject([{ seen: expect.stringContaining('notation of Go') }]);
    expect(map.config['secrets']).toEqual({ a: { kv: 'secret/a' } });
  });

  it('switch the proxy on, and a file with the token when that was asked for', async () => {
    const annotations = {
      role: 'x',
      'agent-cache-enable': 'true',
      'agent-cache-listener-port': '8201',
      'agent-inject-token': 'true',
    };
    const { config, problems } = await importManifest(pod(annotations));
    expect(config['proxy']).toEqual({
      listen: '127.0.0.1:8201',
      requireRequestHeader: false,
      useAutoAuthToken: true,
      cache: {},
    });
    expect(problems).toMatchObject([{ seen: expect.stringContaining('token of the agent') }]);
    expect((await importManifest(pod(annotations), true)).yaml).toContain('{{agent_token.id}}');
  });

  it('let the application end the agent, with a cache and without', async () => {
    const alone = await importManifest(pod({ role: 'x', 'agent-enable-quit': 'true' }));
    expect(alone.config['proxy']).toEqual({ listen: '127.0.0.1:8200', quit: true, requireRequestHeader: false });
    expect(alone.problems).toEqual([]);
    const cached = { role: 'x', 'agent-enable-quit': 'true', 'agent-cache-enable': 'true' };
    expect((await importManifest(pod(cached))).config['proxy']).toMatchObject({ quit: true, cache: {} });
  });

  it('are found in pods, templates of workloads, lists and several documents', async () => {
    const text = `kind: Deployment
spec:
  template:
    metadata:
      annotations:
        vault.hashicorp.com/role: shop
        vault.hashicorp.com/agent-inject-secret-a: kv1/a
        vault.hashicorp.com/agent-inject-template-a: |
          one
          {{ key "x" }}
---
kind: CronJob
spec: { jobTemplate: { spec: { template: { metadata: { annotations: { vault.hashicorp.com/shiny: "1" } } } } } }
`;
    const { problems } = await importManifest(text);
    expect(problems).toMatchObject([
      { place: { line: 10, column: 14 }, seen: 'key: a function of Consul or Nomad' },
      { place: { line: 13 }, seen: 'shiny is unknown to import' },
    ]);
  });

  it('in a manifest that is no YAML are refused by its place', async () => {
    expect(await readAnnotations('a: [', 'pod.yaml')).toMatchObject({ unreadable: { place: { line: 1 } } });
  });
});
