import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { addStaticRole, writePolicy } from '../servers/index.ts';
import { type Agent, runAgent } from './agent.helpers.ts';
import { baoOf, failuresOf, published, useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld({ database: true, databaseTtl: '4s' });

/** Every kind of request: both versions of KV, a read with a lease, a static role, a certificate, a write, lists. */
const SECRETS = {
  app: { kv: 'secret/shop/app', refresh: '1s' },
  old: { kv: 'kv1/shop/old' },
  db: { read: 'database/creds/shop' },
  fixed: { read: 'database/static-creds/fixed' },
  tls: { certificate: { issuer: 'pki', role: 'shop', commonName: 'shop.svc' } },
  random: { write: { path: 'sys/tools/random/8', data: { format: 'hex' } }, refresh: '1h' },
};

const OUTPUT = {
  'all.json': { format: 'json', from: ['app', 'old', 'db', 'fixed', 'random'] },
  'tls.pem': { content: '{{tls.certificate}}{{tls.privateKey}}' },
  'list.txt': {
    content: '{{#each (secrets "secret/shop/list")}}{{#with (secret "secret/shop/list/" this)}}{{v}}{{/with}}{{/each}}',
  },
};

beforeAll(async () => {
  const { bao, putSecret, postgres } = world();
  await putSecret('app', { password: 'hunter2' });
  await putSecret('list/one', { v: '1' });
  await bao.api('POST', 'kv1/shop/old', { password: 'hunter1' });
  await addStaticRole(bao, postgres, { role: 'fixed', rotationPeriod: '1h' });
});

interface Rule {
  readonly on: readonly string[];
  readonly allows: readonly string[];
}

/** Runs with a role that has this policy and nothing else. */
async function withPolicy(name: string, hcl: string) {
  const { bao } = world();
  await writePolicy(bao, name, hcl);
  await bao.api('PUT', `auth/kubernetes/role/${name}`, {
    bound_service_account_names: ['shop'],
    bound_service_account_namespaces: ['default'],
    token_policies: [name],
    token_no_default_policy: true,
    token_ttl: '6s',
    token_max_ttl: '1h',
  });
  const place = await scene.place();
  const dir = join(place.dir, 'out');
  const config = await place.config({
    backends: { bao: baoOf(world(), { role: name, revokeOnExit: true }) },
    secrets: SECRETS,
    outputs: { shop: { dir, files: OUTPUT } },
    log: { level: 'debug' },
  });
  return { name, dir, config };
}

/** The paths that the server refused to logins with this policy. */
async function deniedOf(policy: string): Promise<readonly string[]> {
  const all = await world().bao.requests();
  return all
    .filter(({ policies, error }) => policies.includes(policy) && error?.includes('permission denied'))
    .map(({ path }) => path);
}

/** Through a renewal of the login and of a lease, the death of the login, and the end of the agent. */
async function liveThrough({ config, name }: Awaited<ReturnType<typeof withPolicy>>): Promise<Agent> {
  const { bao } = world();
  const agent = scene.run(config);
  await agent.waitFor('output-published');
  await Promise.race([agent.waitFor('login-renewed'), agent.waitFor('login-replaced')]);
  await Promise.race([agent.waitFor('secret-renewed'), agent.waitFor('secret-changed', { count: 8 })]);
  const accessors = new Set(
    (await bao.requests()).filter(({ policies }) => policies.includes(name)).map(({ accessor }) => accessor),
  );
  for (const accessor of accessors) {
    await bao.api('POST', 'auth/token/revoke-accessor', { accessor }).catch(() => undefined);
  }
  const made = agent.facts('login-made').length;
  await agent.waitFor('login-made', { count: made + 1 });
  await agent.stop();
  return agent;
}

/** What `policy` prints when it may ask the server, with a token of an administrator. */
async function printed(args: readonly string[] = []): Promise<{ text: string; rules: readonly Rule[] }> {
  const place = await scene.place();
  const tokenFile = join(place.dir, 'root-token');
  await writeFile(tokenFile, world().bao.rootToken);
  const config = await place.config({
    backends: { bao: baoOf(world(), { revokeOnExit: true }) },
    secrets: SECRETS,
    outputs: { shop: { dir: join(place.dir, 'out'), files: OUTPUT } },
  });
  const all = ['policy', '-c', config, '--token-file', tokenFile, ...args];
  const text = (await runAgent(all)).stdout();
  const [policy] = JSON.parse((await runAgent([...all, '--json'])).stdout()) as { rules: readonly Rule[] }[];
  return { text, rules: policy?.rules ?? [] };
}

const asHcl = (rules: readonly Rule[]): string =>
  rules.map(({ on, allows }) => `path "${on[0]}" { capabilities = ${JSON.stringify(allows)} }`).join('\n');

/** What keeps a login and its leases alive; the other lines are needed by the first fetch. */
const OF_AGENT = [
  'auth/token/lookup-self',
  'auth/token/renew-self',
  'sys/leases/renew',
  'sys/leases/revoke',
  'auth/token/revoke-self',
];

describe('pannier policy for OpenBao', () => {
  it('prints a policy under which everything works, without the default policy', async () => {
    const { text } = await printed();
    const made = await withPolicy('least', text);
    const once = await runAgent(['init', '-c', made.config, '--timeout', '20s']);
    expect([once.status, failuresOf(once)]).toEqual([0, []]);
    expect(published(made.dir)?.['list.txt']).toBe('1');
    const agent = await liveThrough(made);
    expect(agent.facts('login-renewed').length).toBeGreaterThan(0);
    expect(agent.facts('secret-renewed').length).toBeGreaterThan(0);
    expect(await deniedOf('least')).toEqual([]);
  });

  it('prints no line and no capability that can be left out', async () => {
    const { rules } = await printed();
    expect(rules.map(({ on: [path] }) => path).filter((path) => OF_AGENT.includes(path ?? ''))).toEqual(OF_AGENT);
    expect(rules.every(({ on, allows }) => on.length === 1 && allows.length === 1)).toBe(true);
    const without = async (left: Rule, at: number) => {
      const made = await withPolicy(`without-${at}`, asHcl(rules.filter((rule) => rule !== left)));
      if (OF_AGENT.includes(left.on[0] ?? '')) await liveThrough(made);
      else {
        const once = await runAgent(['init', '-c', made.config, '--timeout', '20s']);
        expect([left.on, once.status]).toEqual([left.on, 4]);
      }
      return await deniedOf(made.name);
    };
    const check = async (left: Rule, at: number) => {
      const [path = ''] = left.on;
      const denied = await without(left, at);
      // The path that is left out is the one that is refused; a pattern stands for what begins like it.
      const pattern = path.endsWith('*') ? path.slice(0, -1) : path;
      expect(
        denied.filter((one) => one.startsWith(pattern)),
        path,
      ).not.toEqual([]);
    };
    const [ofAgent, others] = [true, false].map((is) =>
      rules.filter(({ on: [path = ''] }) => OF_AGENT.includes(path) === is),
    );
    await Promise.all(ofAgent?.map(check) ?? []);
    for (const [at, left] of others?.entries() ?? []) await check(left, 100 + at);
  });

  it('without a server it prints both versions of KV, and says so', async () => {
    const place = await scene.place();
    const config = await place.config({
      backends: { bao: baoOf(world()) },
      secrets: { app: { kv: 'secret/shop/app' }, old: { kv: 'kv1/shop/old', mount: 'kv1', kvVersion: 1 } },
    });
    const asked = (await world().bao.requests()).length;
    const { stdout, status } = await runAgent(['policy', '-c', config]).then((agent) => ({
      stdout: agent.stdout(),
      status: agent.status,
    }));
    expect(status).toBe(0);
    expect(stdout).toContain('# secrets.app.kv, if secret/ is KV version 2\npath "secret/data/shop/app"');
    expect(stdout).toContain('# secrets.app.kv, if secret/ is KV version 1\npath "secret/shop/app"');
    expect(stdout).toContain('# secrets.old.kv\npath "kv1/shop/old" { capabilities = ["read"] }');
    expect(stdout).not.toContain('kv1/data');
    expect(stdout).toMatch(/# Note: secret\/: whether it is a KV engine of version 1 or 2/);
    expect((await world().bao.requests()).length).toBe(asked);
  });

  it.each([
    [{ role: 'shop' }, 'pki/issue/shop'],
    [{ role: 'shop-{name}', key: { local: 'ed25519' } }, 'pki/sign/shop-*'],
  ])('a certificate on demand of %j needs the path %s', async (certificate, path) => {
    const place = await scene.place();
    const config = await place.config({
      backends: { bao: baoOf(world()) },
      sds: { socket: './s', onDemand: { match: '*.svc', certificate: { issuer: 'pki', ...certificate } } },
    });
    const printed = (await runAgent(['policy', '-c', config])).stdout();
    expect(printed).toContain(`# sds.onDemand.certificate\npath "${path}" { capabilities = ["update"] }`);
  });
});
