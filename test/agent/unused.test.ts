import { describe, expect, it } from 'vitest';
import { planFrom } from './agent.helpers.ts';

const vault = { kind: 'vault', address: 'http://127.0.0.1:8200', auth: { method: 'kubernetes', role: 'shop' } };
const bao = { backends: { bao: vault } };
const two = { backends: { bao: vault, other: vault } };
const app = { kv: 'secret/app', backend: 'bao' };
const secrets = { app, db: { ...app, kv: 'secret/db' } };
const content = (text: string) => ({ dir: './o', files: { f: { content: text } } });
const socket = './api.sock';

async function warningsOf(config: object): Promise<string[]> {
  return (await planFrom(config)).warnings.map(({ code, place, seen, hint }) => `${code} ${place}: ${seen}. ${hint}`);
}

describe('nothing is left unused in silence:', () => {
  it('secrets that nothing reads are one warning with all their names', async () => {
    const outputs = { o: content('{{app.password}}') };
    expect(await warningsOf({ ...bao, secrets, outputs })).toEqual([
      'CONFIG_UNUSED secrets.db: no output, no listener and no variable of exec reads the secret db. ' +
        'Let something read it, or remove it: an agent does not fetch what nothing reads. ' +
        '`pannier get NAME --direct` does.',
    ]);
    expect(await warningsOf({ ...bao, secrets, outputs: { o: content('x') } })).toEqual([
      expect.stringMatching(/^CONFIG_UNUSED secrets: .* reads the secrets app, db\. Let something read them, /),
    ]);
  });

  it('a long list of names is cut', async () => {
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`s${i}`, app]));
    const [warning] = await warningsOf({ ...bao, secrets: many, outputs: { o: content('x') } });
    expect(warning).toMatch(/ s0, .*, s19 and 10 more\. /);
  });

  it('backends that nothing asks are one warning', async () => {
    const outputs = { o: content('{{app.a}}{{db.a}}') };
    expect(await warningsOf({ ...two, secrets, outputs })).toEqual([
      'CONFIG_UNUSED backends.other: no secret, no computed path and no proxy asks the backend other. ' +
        'Name it in `backend` of a secret, or remove it: an agent does not log in where it asks for nothing.',
    ]);
    const three = { backends: { ...two.backends, third: vault } };
    expect(await warningsOf({ ...three, secrets, outputs })).toEqual([
      expect.stringMatching(/^CONFIG_UNUSED backends: .* asks the backends other, third\. Name them /),
    ]);
  });

  it('a list of secrets with no name is a warning, since the listener shows nothing', async () => {
    const outputs = { o: content('{{app.a}}{{db.a}}') };
    const empty = { socket, secrets: [] };
    expect(await warningsOf({ ...bao, secrets, outputs, api: empty })).toEqual([
      'CONFIG_UNUSED api.secrets: the list is empty: the listener shows no secret. ' +
        'Name the secrets that its clients may read, or remove secrets to show all of them.',
    ]);
    expect(await warningsOf({ ...bao, secrets, outputs, api: { listeners: [empty] } })).toEqual([
      expect.stringMatching(/^CONFIG_UNUSED api\.listeners\[0\]\.secrets: /),
    ]);
  });

  it.each<[string, object]>([
    ['no section at all', {}],
    ['secrets alone', { ...bao, secrets }],
    ['health alone', { ...bao, secrets, admin: { listen: '127.0.0.1:9464' } }],
    ['exec without variables', { ...bao, secrets, exec: { command: ['./app'] } }],
  ])('a configuration with nothing to do is one warning: %s', async (_, config) => {
    expect(await warningsOf(config)).toEqual([
      'CONFIG_UNUSED configuration: an agent has nothing to do: there is no output, no variable of exec and no ' +
        'listener for secrets. Add outputs, exec.env, api or proxy.',
    ]);
  });
});

describe('no warning comes when', () => {
  const http = { method: 'POST', url: 'http://127.0.0.1:1/', headers: { 'X-Token': '{{db.token}}' } };

  it.each<[string, object]>([
    ['a listener of the API without a list shows all secrets', { ...bao, secrets, api: { socket } }],
    [
      'one of two listeners shows all secrets',
      { ...bao, secrets, api: { listeners: [{ socket, secrets: ['app'] }, { socket: './b.sock' }] } },
    ],
    [
      'listeners with lists show every secret together',
      {
        ...bao,
        secrets,
        api: {
          listeners: [
            { socket, secrets: ['app'] },
            { socket: './b.sock', secrets: ['db'] },
          ],
        },
      },
    ],
    [
      'clients of a listener without secrets may stop the agent',
      { ...bao, secrets, outputs: { o: content('{{app.a}}{{db.a}}') }, api: { socket, secrets: [], control: true } },
    ],
    ['a proxy is all there is', { ...bao, proxy: { socket } }],
    [
      'certificates on demand are all that asks the backend',
      { ...bao, sds: { socket, onDemand: { match: '*.svc', certificate: { issuer: 'pki', role: 'shop' } } } },
    ],
    [
      'the proxy has a backend of its own',
      { ...two, secrets, outputs: { o: content('{{app.a}}{{db.a}}') }, proxy: { socket, backend: 'other' } },
    ],
    [
      'a template names a secret only in a condition',
      { ...bao, secrets, outputs: { o: content('{{#if app.a}}{{db.a}}{{/if}}') } },
    ],
    [
      'a path that a template computes asks the backend',
      {
        ...two,
        secrets: { app },
        outputs: { o: content('{{app.a}}{{lookup (secret "secret/x" backend="other") "y"}}') },
      },
    ],
    [
      'a format takes the whole secret',
      { ...bao, secrets, outputs: { o: { dir: './o', files: { 'a.json': { format: 'json', from: ['app', 'db'] } } } } },
    ],
    [
      'a request of a reload uses the secret',
      { ...bao, secrets, outputs: { o: { ...content('{{app.a}}'), reload: [{ http }] } } },
    ],
    ['a variable of exec uses the secret', { ...bao, secrets, exec: { env: { A: '{{app.a}}', B: '{{db.a}}' } } }],
    ['exec takes whole secrets', { ...bao, secrets, exec: { from: ['app', 'db'] } }],
  ])('%s', async (_, config) => {
    expect(await warningsOf(config)).toEqual([]);
  });
});
