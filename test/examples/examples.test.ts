import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { planOf } from '../../src/agent/create-plan.ts';
import { BACKEND_KINDS } from '../../src/backend/registry.ts';
import { loadConfig } from '../../src/config/load.ts';
import { type FakeApiServer, startFakeApiServer } from '../backend/kubernetes/fake-api-server.ts';
import { type Moto, startMoto } from '../servers/index.ts';
import { runAgent } from '../system/agent.helpers.ts';
import { baoOf, published, useScene, useWorld } from '../system/openbao.helpers.ts';
import { configurations, dataOf, type Example } from './configurations.ts';

const examples = configurations();
const folders = readdirSync('examples', { withFileTypes: true }).filter((entry) => entry.isDirectory());

/** Variables that a deployment sets for its configuration: units have the first, pods the second. */
const ENVIRONMENT = {
  CREDENTIALS_DIRECTORY: '/run/credentials/pannier.service',
  KUBERNETES_SERVICE_HOST: '10.0.0.1',
};

async function load(path: string) {
  return planOf(await loadConfig({ kinds: BACKEND_KINDS, paths: [path], env: ENVIRONMENT, cwd: process.cwd() }), 0);
}

describe('examples', () => {
  it('examples/README.md names every example', () => {
    const readme = readFileSync('examples/README.md', 'utf8');
    for (const { name } of folders) expect(readme).toContain(`(${name}/)`);
  });

  it('each has a configuration', () => {
    const having = new Set(examples.map(({ dir }) => dir.split('/')[1]));
    // These are the injector, whose pods have the configurations.
    const isInjector = (name: string) => ['helm', 'kustomize'].includes(name);
    expect(folders.map(({ name }) => name).filter((name) => !having.has(name) && !isInjector(name))).toEqual([]);
  });

  it.each(examples.map((one) => [one.name, one] as const))('%s is a valid configuration', async (_, { text, dir }) => {
    const path = join(dir.includes('file-backend') ? dir : mkdtempSync(join(tmpdir(), 'pannier-')), 'pannier.yaml');
    if (!path.startsWith(dir)) writeFileSync(path, text);
    const { config, warnings } = await load(path);
    expect(config.outputs.size + (config.exec === undefined ? 0 : 1)).toBeGreaterThan(0);
    expect(warnings).toEqual([]);
  });

  it('the configuration of the README is valid', async () => {
    const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(readFileSync('README.md', 'utf8')) ?? [];
    const path = join(mkdtempSync(join(tmpdir(), 'pannier-')), 'pannier.yaml');
    writeFileSync(path, yaml);
    expect(parse(yaml)).toHaveProperty('outputs.shop');
    expect(await load(path)).toMatchObject({ outputs: [{}], warnings: [] });
  });
});

describe('on real backends', () => {
  const scene = useScene();
  const world = useWorld({ database: true });
  let moto: Moto;
  let kube: FakeApiServer;
  beforeAll(async () => {
    await world().putSecret('app', { api_key: 'one' });
    await world().putSecret('store', { password: 'c0rrect-horse' });
    await world().putSecret('users', { ann: '$apr1$made$up' });
    moto = await startMoto();
    for (const name of ['app', 'db']) {
      const secret = { Name: `prod/shop/${name}`, SecretString: `{"${name}_password":"one"}` };
      await moto.api('secretsmanager', 'CreateSecret', secret);
    }
    kube = await startFakeApiServer();
    kube.putSecret('shop-db', { password: 'one' });
    kube.putConfigMap('shop-settings', { color: 'red' });
    return async () => {
      await kube[Symbol.asyncDispose]();
      await moto.stop();
    };
  });

  it.each(examples.filter(remote).map((one) => [one.name, one] as const))('%s publishes its files', async (_, one) => {
    const { dir, config } = await scene.place();
    const path = await config(here(one, dir));
    const env = { AWS_ACCESS_KEY_ID: 'made-up', AWS_SECRET_ACCESS_KEY: 'made-up', AWS_REGION: moto.region };
    const { status, output } = await runAgent(['init', '-c', path, '--timeout', '20s'], { env });
    expect([status, status === 0 ? '' : output()]).toEqual([0, '']);
    for (const [name, { files }] of Object.entries(dataOf(one)['outputs'] ?? {})) {
      const texts = published(join(dir, name)) ?? {};
      expect(Object.keys(texts).sort()).toEqual(Object.keys(files as object).sort());
      expect(Object.values(texts).filter((text) => text === '')).toEqual([]);
    }
  });

  /** The configuration of an example with the test's servers and directories instead of the deployment's. */
  function here(one: Example, dir: string): object {
    const { outputs = {}, backends = {}, secrets } = dataOf(one);
    const servers = Object.entries(backends).map(([name, { kind, region }]) => [
      name,
      serverOf(kind as string, region, dir),
    ]);
    const places = Object.entries(outputs).map(([name, { files }]) => [name, { dir: join(dir, name), files }]);
    return { backends: Object.fromEntries(servers), secrets, outputs: Object.fromEntries(places) };
  }

  function serverOf(kind: string, region: unknown, dir: string): object {
    if (kind === 'vault') return baoOf(world());
    if (kind !== 'kubernetes') return { kind, ...(region ? { region } : {}), endpoint: moto.address };
    const tokenFile = join(dir, 'api-token');
    writeFileSync(tokenFile, 'made-up');
    return { kind, address: kube.address, tokenFile, namespace: 'shop' };
  }
});

function remote(one: Example): boolean {
  return Object.values(dataOf(one)['backends'] ?? {}).every(({ kind }) => kind !== 'file');
}
