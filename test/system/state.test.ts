import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Agent, eventually, runAgent } from './agent.helpers.ts';
import { baoOf, published, useScene, useWorld } from './openbao.helpers.ts';

const CANARY = 'c4n4ry';
const scene = useScene();
const world = useWorld({ database: true, openBao: { persist: true } });

/** Accessors of all tokens, and ids of all leases of the database. */
async function onServer(): Promise<{ tokens: number; leases: readonly string[] }> {
  const { bao } = world();
  const { data: tokens } = await bao.api<{ keys: string[] }>('LIST', 'auth/token/accessors');
  const leases = await bao
    .api<{ keys: string[] }>('LIST', 'sys/leases/lookup/database/creds/shop')
    .then(({ data }) => data.keys)
    .catch(() => []);
  return { tokens: tokens.keys.length, leases };
}

async function setUp(secrets: object, { auth = {}, state = {} } = {}) {
  const place = await scene.place();
  const dir = join(place.dir, 'out');
  const files = Object.fromEntries(Object.keys(secrets).map((name) => [name, { format: 'json', from: name }]));
  const config = await place.config({
    log: { level: 'debug' },
    backends: { bao: { ...baoOf(world(), auth), timeout: '500ms' } },
    secrets,
    outputs: { shop: { dir, files } },
    state: { path: join(place.dir, 'state'), ...state },
  });
  return { place: place.dir, dir, config };
}

const read = (dir: string, name: string) => JSON.parse(published(dir)?.[name] ?? 'null') as Record<string, unknown>;

/** Removes what is published, as an emptied volume does. */
const forget = (dir: string) => rmSync(dir, { recursive: true, force: true });
const codes = (agent: Agent) => agent.facts('agent-warning').map(({ code }) => code);

describe('the state of an agent, with a real OpenBao', () => {
  it('lets a start during an outage publish static secrets as stale; fresh values replace them, equal ones publish nothing', async () => {
    const { bao, putSecret } = world();
    await putSecret('app', { password: 'one' });
    const { dir, config } = await setUp({ app: { kv: 'secret/shop/app', refresh: '200ms' } });
    const first = scene.run(config);
    await first.waitFor('output-published');
    await first.stop();
    forget(dir);
    await bao.kill();

    const init = await scene.init(config);
    expect(init.status).toBe(0);
    expect(read(dir, 'app')).toEqual({ password: 'one' });
    expect(init.facts('secret-kept')).toMatchObject([{ secrets: ['app'] }]);
    expect(init.facts('secret-state')).toMatchObject([{ state: 'stale', reason: 'BACKEND_UNREACHABLE' }]);
    forget(dir);

    const agent = scene.run(config);
    await agent.waitFor('output-published');
    expect(read(dir, 'app')).toEqual({ password: 'one' });
    await bao.start();
    await agent.waitFor('secret-state', { fits: ({ state }) => state === 'fresh' });
    await agent.waitFor('secret-unchanged', { count: 3 });
    expect(agent.facts('output-published')).toHaveLength(1);
    await putSecret('app', { password: 'two' });
    await eventually(() => expect(read(dir, 'app')).toEqual({ password: 'two' }));
    expect(await agent.stop()).toBe(0);
  });

  it('is served also when the backend is there and does not answer', async () => {
    const { bao, putSecret } = world();
    await putSecret('app', { password: 'one' });
    const { dir, config } = await setUp({ app: { kv: 'secret/shop/app' } });
    expect((await scene.init(config)).status).toBe(0);
    forget(dir);
    bao.suspend();
    try {
      expect((await scene.init(config)).status).toBe(0);
      expect(read(dir, 'app')).toEqual({ password: 'one' });
    } finally {
      bao.resume();
    }
  });

  it('is not served when the backend refuses the secret', async () => {
    const { putSecret, bao } = world();
    await putSecret('gone', { password: 'one' });
    const { dir, config } = await setUp({ gone: { kv: 'secret/shop/gone' } });
    expect((await scene.init(config)).status).toBe(0);
    forget(dir);
    await bao.api('DELETE', 'secret/metadata/shop/gone');
    expect((await scene.init(config)).status).toBe(1);
    expect(published(dir)).toBeUndefined();
  });

  it('hands one login and one lease from init to run, and ten restarts mint nothing', async () => {
    const { dir, config } = await setUp({ db: { read: 'database/creds/shop' } });
    const before = await onServer();
    const init = await scene.init(config);
    expect(init.status).toBe(0);
    const user = read(dir, 'db')['username'];
    const taken = await onServer();
    expect(taken.tokens - before.tokens).toBe(1);
    expect(taken.leases.filter((id) => !before.leases.includes(id))).toHaveLength(1);

    for (let start = 0; start < 11; start++) {
      const agent = scene.run(config);
      await agent.waitFor('secret-kept');
      expect(agent.facts('login-resumed')).toHaveLength(1);
      if (start === 5) {
        agent.kill('SIGKILL');
        await agent.ended;
        continue;
      }
      expect(await agent.stop()).toBe(0);
      expect(agent.facts('login-made')).toEqual([]);
      expect(agent.facts('output-published')).toEqual([]);
    }
    expect(read(dir, 'db')['username']).toBe(user);
    expect(await onServer()).toEqual(taken);
  });

  it('lets a lease be served during an outage, and renews it after', async () => {
    const { bao } = world();
    const { dir, config } = await setUp({ db: { read: 'database/creds/shop' } });
    expect((await scene.init(config)).status).toBe(0);
    const user = read(dir, 'db')['username'];
    forget(dir);
    await bao.kill();
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    expect(read(dir, 'db')['username']).toBe(user);
    expect(agent.facts('secret-state')).toMatchObject([{ state: 'stale', reason: 'BACKEND_UNREACHABLE' }]);
    await bao.start();
    await agent.waitFor('secret-renewed');
    await agent.waitFor('secret-state', { fits: ({ state }) => state === 'fresh' });
    expect(agent.facts('login-made')).toEqual([]);
    expect(agent.facts('output-published')).toHaveLength(1);
  });

  it('a login that was revoked meanwhile is dropped, and its leases with it', async () => {
    const { bao } = world();
    const { dir, config } = await setUp({ db: { read: 'database/creds/shop' } });
    expect((await scene.init(config)).status).toBe(0);
    const user = read(dir, 'db')['username'];
    await bao.api('POST', 'sys/leases/revoke-prefix/auth/kubernetes/login');
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    expect(read(dir, 'db')['username']).not.toBe(user);
    expect([agent.facts('login-resumed'), agent.facts('login-made').length]).toEqual([[], 1]);
  });

  it('a lease that was revoked meanwhile is fetched anew under the same login', async () => {
    const { bao } = world();
    const { dir, config } = await setUp({ db: { read: 'database/creds/shop' } });
    expect((await scene.init(config)).status).toBe(0);
    const user = read(dir, 'db')['username'];
    await bao.api('POST', 'sys/leases/revoke-prefix/database/creds/shop');
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    expect(read(dir, 'db')['username']).not.toBe(user);
    expect([agent.facts('login-resumed').length, agent.facts('login-made')]).toEqual([1, []]);
  });

  it('with revokeOnExit keeps neither login nor lease, and the server has none left', async () => {
    const { config } = await setUp({ db: { read: 'database/creds/shop' } }, { auth: { revokeOnExit: true } });
    const before = await onServer();
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    expect(await agent.stop()).toBe(0);
    await eventually(async () => expect(await onServer()).toEqual(before));
    const again = scene.run(config);
    await again.waitFor('output-published');
    expect([again.facts('login-resumed'), again.facts('secret-kept')]).toEqual([[], []]);
  });

  it('a failed init leaves no login behind', async () => {
    const { config } = await setUp({ db: { read: 'database/creds/shop' }, none: { kv: 'secret/shop/none' } });
    const before = await onServer();
    for (let start = 0; start < 3; start++) expect((await scene.init(config)).status).toBe(1);
    await eventually(async () => {
      const { tokens, leases } = await onServer();
      expect(tokens).toBeLessThanOrEqual(before.tokens);
      expect(leases.filter((id) => !before.leases.includes(id))).toEqual([]);
    });
  });

  it('a failed init beside a running agent does not end the login that both use', async () => {
    const { place, config } = await setUp({ db: { read: 'database/creds/shop' } });
    expect((await scene.init(config)).status).toBe(0);
    const agent = scene.run(config);
    await agent.waitFor('secret-kept');
    const failing = join(place, 'failing.json');
    const { secrets, outputs, ...rest } = JSON.parse(readFileSync(config, 'utf8')) as Record<string, object>;
    const none = { none: { kv: 'secret/shop/none' } };
    const other = { other: { dir: join(place, 'other'), files: { none: { format: 'json', from: 'none' } } } };
    writeFileSync(
      failing,
      JSON.stringify({ ...rest, secrets: { ...secrets, ...none }, outputs: { ...outputs, ...other } }),
    );
    const before = await onServer();
    const init = await scene.init(failing);
    expect([init.status, init.facts('login-resumed').length, init.facts('login-revoked')]).toEqual([1, 1, []]);
    expect(await onServer()).toEqual(before);
    expect(await agent.stop()).toBe(0);
  });

  it('that a new configuration of a running agent names is written soon', async () => {
    const { putSecret } = world();
    await putSecret('app', { password: 'one' });
    const { place, config } = await setUp({ app: { kv: 'secret/shop/app' } });
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    const other = { ...(JSON.parse(readFileSync(config, 'utf8')) as object), state: { path: join(place, 'other') } };
    writeFileSync(config, JSON.stringify(other));
    await eventually(() => expect(readdirSync(join(place, 'other')).sort()).toEqual(['..owner', 'key', 'state']));
  });

  it('that is damaged, cut short or of another key is set aside with a warning, and everything is fetched', async () => {
    const { putSecret } = world();
    await putSecret('app', { password: 'one' });
    const { place, config } = await setUp({ app: { kv: 'secret/shop/app' } }, { state: { keyFile: 'key' } });
    const file = join(place, 'state/state');
    writeFileSync(join(place, 'key'), 'k'.repeat(32));
    expect((await scene.init(config)).status).toBe(0);
    const good = readFileSync(file);
    const damaged = Buffer.from(good);
    damaged[40] = (damaged[40] ?? 0) ^ 1;
    for (const bytes of [damaged, good.subarray(0, 50), Buffer.alloc(0), Buffer.from('{}')]) {
      writeFileSync(file, bytes);
      const init = await scene.init(config);
      expect([init.status, codes(init)]).toEqual([0, ['STATE_UNREADABLE']]);
      const refused = readdirSync(join(place, 'state')).filter((name) => name.startsWith('refused'));
      expect(refused.map((name) => readFileSync(join(place, 'state', name)))).toContainEqual(Buffer.from(bytes));
    }
    writeFileSync(join(place, 'key'), 'K'.repeat(32));
    const other = await scene.init(config);
    expect([other.status, codes(other)]).toEqual([0, ['STATE_UNREADABLE']]);
    rmSync(join(place, 'key'));
    const before = readFileSync(file);
    const without = await scene.init(config);
    expect([without.status, codes(without)]).toEqual([0, ['STATE_KEY']]);
    expect(readFileSync(file)).toEqual(before);
  });

  it('is looked at by doctor, which makes nothing', async () => {
    const { putSecret } = world();
    await putSecret('app', { password: 'one' });
    const { place, config } = await setUp({ app: { kv: 'secret/shop/app' } });
    const look = async () => {
      const { stdout } = await runAgent(['doctor', '-c', config, '--json']);
      const checks = JSON.parse(stdout()) as {
        check: string;
        place: string;
        state: string;
        seen: string;
        code?: string;
      }[];
      return checks.find(({ check }) => check === 'state');
    };
    expect(await look()).toMatchObject({ state: 'ok', seen: expect.stringContaining('it can be made in') });
    expect(existsSync(join(place, 'state'))).toBe(false);
    expect((await scene.init(config)).status).toBe(0);
    expect(await look()).toMatchObject({ state: 'ok', seen: expect.stringContaining('secrets: 1, logins: 1') });
    writeFileSync(join(place, 'state/state'), 'something else');
    expect(await look()).toMatchObject({ place: 'state', state: 'warning', code: 'STATE_UNREADABLE' });
    expect(readFileSync(join(place, 'state/state'), 'utf8')).toBe('something else');
  });

  it('holds ciphertext only, in files of mode 0600 in a directory of mode 0700, and nothing of it is told', async () => {
    const { putSecret } = world();
    await putSecret('marked', { password: `${CANARY}-value` });
    const { place, config } = await setUp({
      marked: { kv: 'secret/shop/marked' },
      db: { read: 'database/creds/shop' },
    });
    const init = await scene.init(config);
    const agent = scene.run(config);
    await agent.waitFor('secret-kept');
    await agent.stop();
    const state = join(place, 'state');
    expect(statSync(state).mode & 0o777).toBe(0o700);
    expect(readdirSync(state).sort()).toEqual(['key', 'state']);
    for (const name of readdirSync(state)) {
      expect(statSync(join(state, name)).mode & 0o777).toBe(0o600);
      const bytes = readFileSync(join(state, name)).toString('latin1');
      for (const text of [CANARY, 'password', 'database/creds', 'hvs.', 'secret/shop'])
        expect(bytes).not.toContain(text);
    }
    expect(init.output() + agent.output()).not.toContain(CANARY);
  });
});
