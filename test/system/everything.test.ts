import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { BUILTIN_TEMPLATES } from '../../src/config/sections/outputs/builtin-templates.ts';
import { HELPERS } from '../../src/render/helpers/index.ts';
import { enableAppRole, enableCertAuth, enableJwtAuth, enableUserpass } from '../servers/index.ts';
import { runAgent } from './agent.helpers.ts';
import { useScene, useWorld } from './openbao.helpers.ts';

/**
 * One configuration with every login, format, helper and builtin template at once, from `validate` to reading the files
 * back.
 */

const scene = useScene();
const world = useWorld({ openBao: { tls: true } });
const doc = readFileSync('docs/templates.md', 'utf8');

/** The sample secrets of the examples in docs/templates.md. */
const samples: Readonly<Record<string, Record<string, unknown>>> = Object.fromEntries(
  [...doc.matchAll(/^```json (\w+)\n([\s\S]*?)^```$/gm)].map(([, name = '', text = '']) => [name, JSON.parse(text)]),
);
const helpers = [...HELPERS.values()].map(({ example: [template, gives] }) => ({ template, gives }));

/** The secrets of the builtin templates, except for the certificate, which is issued. */
const INPUTS = {
  aws: { access_key: 'AKIA', secret_key: 'wJalr/+' },
  docker: { username: 'shop', password: 'made-up' },
  kube: { server: 'https://127.0.0.1:6443', token: 'made-up' },
  pg: { host: 'pg.svc', port: 5432, database: 'shop', username: 'shop', password: 'co:lon' },
  redis: { password: 'made-up' },
  ssh: { privateKey: generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }) },
  users: { alice: '{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=' },
};
/** The secret for a template's own name of it, where the two differ. */
const WITH: Readonly<Record<string, string>> = { db: 'pg', app: 'local', tls: 'issued' };

beforeAll(async () => {
  const { bao, review } = world();
  const shop = { role: 'shop', policies: ['shop'] };
  for (const [name, fields] of Object.entries(samples)) await world().putSecret(name, fields);
  await enableJwtAuth(bao, { ...shop, review });
  await enableUserpass(bao, { ...shop, password: 'made-up' });
  await enableCertAuth(bao, shop);
});

async function backends(dir: string): Promise<object> {
  const { bao, tokenFile, review, login } = world();
  const file = (name: string, text: string) => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  const vault = (auth: object, more: object = {}) => ({ kind: 'vault', address: bao.address, auth, ...more });
  const approle = await enableAppRole(bao, { role: 'shop', policies: ['shop'] });
  const { address, caFile, certFile, keyFile } = bao.tls;
  return {
    kubernetes: vault({ method: 'kubernetes', role: 'shop', tokenFile }),
    jwt: vault({
      method: 'jwt',
      role: 'shop',
      tokenFile: file('jwt', await review.mintToken({ serviceAccount: 'shop' })),
    }),
    approle: vault({
      method: 'approle',
      roleId: approle.roleId,
      secretIdFile: file('id', await approle.newSecretId()),
    }),
    wrapped: vault({
      method: 'approle',
      roleId: approle.roleId,
      secretIdFile: file('wrapped', await approle.newWrappedSecretId()),
      secretIdWrapped: true,
      removeSecretIdFile: true,
    }),
    token: vault({ method: 'token', tokenFile: file('token', await login()) }),
    userpass: vault({ method: 'userpass', username: 'shop', passwordFile: file('password', 'made-up') }),
    cert: vault({ method: 'cert' }, { address, tls: { caFile, certFile, keyFile } }),
    file: {
      kind: 'file',
      path: file('secrets.json', JSON.stringify({ ...samples, ...INPUTS, local: { password: 'here' } })),
    },
  };
}

describe('everything at once', () => {
  it('validates, renders, publishes, and reads back equal', async () => {
    const place = await scene.place();
    const { dir } = place;
    const all = await backends(dir);
    const logins = Object.keys(all).filter((name) => name !== 'file');
    const names = logins.map((name) => `by_${name}`);
    const secrets = {
      ...Object.fromEntries(logins.map((backend) => [`by_${backend}`, { backend, kv: 'secret/shop/app' }])),
      ...Object.fromEntries(Object.keys(samples).map((name) => [name, { backend: 'file', key: name }])),
      ...Object.fromEntries(Object.keys(INPUTS).map((name) => [name, { backend: 'file', key: name }])),
      local: { backend: 'file', key: 'local' },
      extra: { backend: 'file', key: 'extra', optional: true },
      issued: { backend: 'kubernetes', certificate: { issuer: 'pki', role: 'shop', commonName: 'shop.svc' } },
    };
    const files = {
      'app.json': { format: 'json', from: 'app' },
      'app.yaml': { format: 'yaml', from: 'app' },
      'app.properties': { format: 'properties', from: 'local', prefix: 'shop.' },
      'app.env': { format: 'dotenv', from: 'local', prefix: 'SHOP_', case: 'upper', rename: { password: 'secret' } },
      'all.json': { format: 'json', from: names },
      key: { format: 'raw', from: 'local.password' },
      ...Object.fromEntries(
        [...BUILTIN_TEMPLATES].map(([name, { input }]) => [
          `builtin-${name}`,
          { template: `builtin:${name}`, with: { [input]: WITH[input] ?? input } },
        ]),
      ),
      ...Object.fromEntries(helpers.map(({ template }, i) => [`helper-${i}`, { content: template }])),
    };
    const config = await place.config({ backends: all, secrets, outputs: { all: { dir: join(dir, 'all'), files } } });

    const validated = await runAgent(['validate', '-c', config]);
    expect([validated.status, validated.stderr()]).toEqual([0, '']);
    const init = await runAgent(['init', '-c', config]);
    expect([init.status, init.facts('output-published').length, init.facts('login-made').length]).toEqual([
      0,
      1,
      logins.length,
    ]);

    const read = (name: string) => readFileSync(join(dir, 'all', name), 'utf8');
    expect(JSON.parse(read('app.json'))).toEqual(samples['app']);
    expect(parse(read('app.yaml'))).toEqual(samples['app']);
    expect(read('app.properties')).toContain('shop.password=here');
    expect(parseEnv(read('app.env'))).toEqual({ SHOP_SECRET: 'here' });
    expect(read('key')).toBe('here');
    expect(JSON.parse(read('all.json'))).toEqual(Object.fromEntries(names.map((name) => [name, samples['app']])));
    expect(read('builtin-pgpass').trim()).toBe('pg.svc:5432:shop:shop:co\\:lon');
    expect(JSON.parse(read('builtin-json'))).toEqual({ password: 'here' });
    expect(
      new X509Certificate(read('builtin-nginx-tls')).checkPrivateKey(createPrivateKey(read('builtin-nginx-tls'))),
    ).toBe(true);
    for (const name of BUILTIN_TEMPLATES.keys()) expect(read(`builtin-${name}`).length).toBeGreaterThan(0);
    for (const [i, { template, gives }] of helpers.entries()) {
      expect(`${template} gives ${read(`helper-${i}`)}`).toBe(`${template} gives ${gives}`);
    }
  });
});
