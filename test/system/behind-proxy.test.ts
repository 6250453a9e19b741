import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startOpenBaoProxy } from '../servers/index.ts';
import { type Agent, runAgent } from './agent.helpers.ts';
import { health, problemsOf } from './observe.helpers.ts';
import { baoOf, failuresOf, published, useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld({ database: true, databaseTtl: '3s' });

const behind = (address: string) => ({ kind: 'vault', address, auth: { method: 'none' } });

/** A real `bao proxy` that logs in as the shop, and keeps leases. */
async function theirProxy() {
  const login = { role: 'shop', tokenFile: world().tokenFile };
  const options = { address: world().bao.address, login, cache: true, requireRequestHeader: true };
  return scene.keep(await startOpenBaoProxy(options)).address;
}

/** Our own proxy, which logs in as the shop, and keeps leases. */
async function ourProxy() {
  const { dir, config } = await scene.place();
  const socket = join(dir, 'vault.sock');
  const proxy = { socket, useAutoAuthToken: true, requireRequestHeader: true, cache: {} };
  const agent = scene.run(await config({ backends: { bao: baoOf(world()) }, proxy }));
  await Promise.all([agent.waitFor('listener-opened'), agent.waitFor('login-made')]);
  return `unix://${socket}`;
}

const callsOf = (agent: Agent) => agent.facts('backend-answered').map(({ call }) => String(call));

describe('a backend without a login', () => {
  it.each([
    ['bao proxy', theirProxy],
    ["Pannier's own proxy", ourProxy],
  ])(
    'publishes and follows secrets through %s, and sends no token and makes no login',
    async (_, start) => {
      await world().putSecret('app', { password: 'first' });
      const address = await start();
      const { dir, config } = await scene.place();
      const output = join(dir, 'out');
      const before = (await world().bao.requests()).length;
      const path = await config({
        log: { level: 'debug', format: 'json' },
        backends: { bao: behind(address) },
        secrets: { app: { kv: 'secret/shop/app', refresh: '1s' }, db: { read: 'database/creds/shop' } },
        outputs: { shop: { dir: output, files: { a: { content: '{{app.password}} {{db.username}}' } } } },
        admin: { socket: join(dir, 'admin.sock') },
      });
      // A token in the environment is not used, although the proxy would pass it on.
      const agent = scene.run(path, { env: { VAULT_TOKEN: 'of-nobody', BAO_TOKEN: 'of-nobody' } });
      await agent.waitFor('output-published');
      const [, user] = /^first (v-.+)$/.exec(published(output)?.['a'] ?? '') ?? [];
      expect(user).toBeDefined();
      expect(problemsOf(await health(join(dir, 'admin.sock'), 'readyz'))).toEqual([]);
      await world().putSecret('app', { password: 'second' });
      await agent.waitFor('output-published', { count: 2 });
      await agent.waitFor('secret-renewed', { count: 2 });
      expect(published(output)?.['a']).toBe(`second ${user}`);
      expect(callsOf(agent).filter((call) => call === 'GET database/creds/shop')).toHaveLength(1);
      expect(await agent.stop()).toBe(0);
      expect(callsOf(agent).filter((call) => call.includes(' auth/'))).toEqual([]);
      const sent = (await world().bao.requests()).slice(before).map((request) => request.path);
      expect(sent.filter((one) => /login|revoke/.test(one))).toEqual([]);
    },
    60_000,
  );

  it('is known to validate, doctor and policy, which say what the proxy has to allow', async () => {
    await world().putSecret('app', { password: 'first' });
    const { dir, config } = await scene.place();
    const write = (address: string) =>
      config({
        backends: { bao: behind(address) },
        secrets: { app: { kv: 'secret/shop/app' } },
        outputs: { shop: { dir: join(dir, 'out'), files: { a: { content: '{{app.password}}' } } } },
      });
    const path = await write(await theirProxy());
    const [valid, doctor, policy] = await Promise.all([
      runAgent(['validate', path]),
      runAgent(['doctor', '-c', path]),
      runAgent(['policy', '-c', path]),
    ]);
    expect([valid.status, doctor.status, policy.status]).toEqual([0, 0, 0]);
    expect(doctor.stdout()).toContain('no login here: the proxy at the address adds its token');
    expect(doctor.stdout()).toContain('secret/shop/app can be read');
    expect(policy.stdout()).toContain('path "secret/data/shop/app"');
    expect(policy.stdout()).not.toContain('auth/token');
  });

  it('says that nobody adds a token when the address is that of the server', async () => {
    const { dir, config } = await scene.place();
    const path = await config({
      backends: { bao: behind(world().bao.address) },
      secrets: { app: { kv: 'secret/shop/app' } },
      outputs: { shop: { dir: join(dir, 'out'), files: { a: { content: '{{app.password}}' } } } },
    });
    const [agent, doctor] = await Promise.all([scene.init(path, '5s'), runAgent(['doctor', '-c', path])]);
    expect([agent.status, doctor.status]).toEqual([4, 4]);
    expect(doctor.stdout()).toContain('adds no token to requests without one');
    const hint = 'With auth: { method: none } the address must be that of a proxy that adds its token.';
    expect(failuresOf(agent)).toMatchObject([{ code: 'SECRET_DENIED', hint: expect.stringContaining(hint) }]);
  });
});
