import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { createPlace } from '../system/agent.helpers.ts';

/** Each has tables of its own, which are with the code that is loaded for it. */
const SECTIONS = {
  exec: { command: ['true'], env: { PASSWORD: '{{app.password}}' } },
  api: { listeners: [{ socket: './api.sock' }] },
  proxy: { socket: './proxy.sock', backend: 'bao' },
  admin: { listen: '127.0.0.1:8270' },
  sds: { socket: './sds.sock', secrets: { pair: { certificate: 'app' } } },
  state: { path: './state', keyFile: './key' },
  log: { level: 'info' },
  traces: { endpoint: 'http://127.0.0.1:1' },
};
/** Their kinds bring tables as well, of the backends and of the secrets that ask them. */
const OTHER_KINDS = {
  aws: { kind: 'aws-secrets-manager', region: 'eu-west-1' },
  le: {
    kind: 'acme',
    directory: 'https://127.0.0.1:1/dir',
    accountKeyFile: './account.pem',
    termsAgreed: true,
    http01: { listen: '127.0.0.1:8280' },
  },
  cluster: { kind: 'kubernetes', address: 'https://127.0.0.1:1' },
};
const UNUSED = {
  ofAws: { backend: 'aws', secretId: 'app', stage: 'AWSCURRENT' },
  ofAcme: { backend: 'le', acme: { names: ['a.test'] } },
  ofCluster: { backend: 'cluster', kubernetesSecret: 'shop/app', keys: ['tls.crt'] },
};
const STEP = { command: { argv: ['true'] } };

it('the built pannier checks a good configuration with every section by tables alone', async () => {
  await using place = await createPlace();
  await mkdir(join(place.dir, 'out'), { mode: 0o700 });
  await writeFile(join(place.dir, 'values.json'), '{"app": {"username": "ann", "password": "made-up"}}');
  await writeFile(join(place.dir, 'key'), 'k'.repeat(64), { mode: 0o600 });
  const tokenFile = './token';
  const files = {
    'app.json': { format: 'json', from: 'app' },
    pgpass: { template: 'builtin:pgpass', with: { db: 'app' } },
  };
  const config = await place.config({
    ...SECTIONS,
    backends: {
      values: { kind: 'file', path: './values.json' },
      ...OTHER_KINDS,
      bao: { kind: 'vault', address: 'http://127.0.0.1:1', auth: { method: 'token', tokenFile } },
    },
    secrets: { app: { backend: 'values', key: 'app' }, ...UNUSED },
    outputs: { shop: { dir: './out', files, reload: [STEP], check: STEP, verify: STEP } },
  });
  const countedTo = join(place.dir, 'counted.json');
  const args = ['--require', resolve('test/ship/count-work.cjs'), resolve('dist/pannier.js'), 'init', '-c', config];
  await promisify(execFile)(process.execPath, args, { env: { PATH: '/usr/bin:/bin', COUNTED_TO: countedTo } });
  const { scripts } = JSON.parse(await readFile(countedTo, 'utf8')) as { readonly scripts: readonly string[] };
  expect(scripts).toContain('sections.js');
  expect(scripts).toContain('sds.js');
  expect(scripts).not.toContain('schemas.js');
});
