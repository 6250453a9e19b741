import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuthConfig } from '../../../src/backend/vault/config/config.ts';
import type { ProxyConfig } from '../../../src/config/config.ts';
import { startWorld, type World, writePolicy } from '../../servers/index.ts';
import { eventually } from '../../system/agent.helpers.ts';
import { type Asking, type Got, startProxy } from './proxy.helpers.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld({ database: true, databaseTtl: '3s', databaseMaxTtl: '9s' });
  await world.bao.api('PUT', 'database/roles/long', {
    db_name: 'postgres',
    default_ttl: '1h',
    max_ttl: '24h',
    creation_statements: [`CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}'`],
  });
  const all = 'path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }';
  await writePolicy(world.bao, 'shop', all);
});
afterAll(() => world.stop());

const BOUNDS = { maxEntries: 100, maxBytes: 2 ** 20 };
const CREDS = '/v1/database/creds/long';

async function caching(cache: ProxyConfig['cache'] = BOUNDS, useAutoAuthToken: ProxyConfig['useAutoAuthToken'] = true) {
  const auth = { method: 'kubernetes', role: 'shop', tokenFile: world.tokenFile } as Partial<AuthConfig>;
  const proxy = await startProxy({ address: world.bao.address, auth, proxy: { cache, useAutoAuthToken } });
  const how = ({ headers }: Got) => headers['x-cache'];
  const user = async (path = CREDS, more?: Asking) => {
    const got = await proxy.ask('GET', path, more);
    expect(got.status).toBe(200);
    return { how: how(got), user: got.json.data.username as string, lease: got.json.lease_id as string };
  };
  const post = (path: string, body: object, token?: string) =>
    proxy.ask('POST', path, { body, headers: token === undefined ? {} : { 'X-Vault-Token': token } });
  const clear = (type: string, value?: string) => post('/agent/v1/cache-clear', { type, value });
  return { proxy, user, post, how, clear };
}

describe('a leased answer', () => {
  it('is given again to the same request, with its age', async () => {
    const { user, proxy } = await caching();
    const first = await user();
    expect(first.how).toBe('MISS');
    expect(await user()).toEqual({ ...first, how: 'HIT' });
    const again = await proxy.ask('GET', CREDS, { headers: { 'User-Agent': 'another', 'X-Request-Id': '1' } });
    expect([again.headers['x-cache'], again.headers['age'], again.json.data.username]).toEqual([
      'HIT',
      '0',
      first.user,
    ]);
    expect((await user('/v1/database/creds/long?x=1')).user).not.toBe(first.user);
    expect((await user(CREDS, { headers: { 'X-Own': '1' } })).user).not.toBe(first.user);
    const cache = proxy.answered().map((fact) => fact.cache);
    expect(cache).toEqual(['miss', 'hit', 'hit', 'miss', 'miss']);
  });

  it('is asked for once when many ask for it at once', async () => {
    const { user } = await caching();
    const all = await Promise.all(Array.from({ length: 12 }, () => user()));
    expect(new Set(all.map((one) => one.user)).size).toBe(1);
    expect(all.filter(({ how }) => how === 'MISS')).toHaveLength(1);
  });

  it('is found for a body whose members come in another order', async () => {
    const { proxy } = await caching();
    const make = (body: string) => proxy.ask('POST', '/v1/auth/token/create', { body });
    const first = (await make('{"ttl":"1h","meta":{"a":"1","b":"2"}}')).json.auth.client_token;
    expect((await make('{ "meta": {"b":"2", "a":"1"}, "ttl":"1h" }')).json.auth.client_token).toBe(first);
    expect((await make('{"ttl":"1h","meta":{"a":"1","b":"3"}}')).json.auth.client_token).not.toBe(first);
  });

  it('is not kept when it is wrapped, cannot be renewed, or belongs to an unknown token', async () => {
    const { proxy, how } = await caching();
    const ask = async (method: string, path: string, more?: Asking) => how(await proxy.ask(method, path, more));
    const wrap = { headers: { 'X-Vault-Wrap-TTL': '60' } };
    const batch = { body: { type: 'batch', ttl: '1h' } };
    const counted = { body: { num_uses: 3 } };
    const strange = { headers: { 'X-Vault-Token': await world.login() } };
    for (let i = 0; i < 2; i++) {
      expect(await ask('GET', CREDS, wrap)).toBe('MISS');
      expect(await ask('POST', '/v1/auth/token/create', batch)).toBe('MISS');
      expect(await ask('POST', '/v1/auth/token/create', counted)).toBe('MISS');
      expect(await ask('GET', CREDS, strange)).toBe('MISS');
      expect(await ask('GET', '/v1/auth/token/lookup-self')).toBe('MISS');
    }
  });

  it('is renewed, and replaced before its maximum life is over', async () => {
    const { proxy } = await caching();
    const lives = new Map<string, { readonly fromMs: number; toMs: number }>();
    await eventually(async () => {
      const { json } = await proxy.ask('GET', '/v1/database/creds/shop');
      const { username, password } = json.data;
      expect(await world.postgres.canLogin(username, password)).toBe(true);
      const now = performance.now();
      const life = lives.get(username) ?? { fromMs: now, toMs: now };
      lives.set(username, { ...life, toMs: now });
      const longest = Math.max(...[...lives.values()].map(({ fromMs, toMs }) => toMs - fromMs));
      expect([lives.size > 1, longest > 3_000]).toEqual([true, true]); // its time to live is 3 s, its maximum 9 s
    });
  });

  it('is dropped when it is revoked through the proxy, in every way', async () => {
    const { proxy, user, post, clear } = await caching();
    const ways: readonly ((lease: string) => Promise<Got>)[] = [
      (lease) => post('/v1/sys/leases/revoke', { lease_id: lease }),
      (lease) => proxy.ask('PUT', `/v1/sys/leases/revoke/${lease}`),
      () => proxy.ask('PUT', '/v1/sys/leases/revoke-prefix/database/creds'),
      (lease) => clear('lease', lease),
      () => clear('request_path', '/v1/database/creds'),
      () => clear('all'),
    ];
    for (const way of ways) {
      const before = await user();
      expect((await user()).how).toBe('HIT');
      expect((await way(before.lease)).status).toBeLessThan(300);
      const after = await user();
      expect([after.how, after.user !== before.user]).toEqual(['MISS', true]);
    }
    const refused = await post('/v1/sys/leases/revoke', { lease_id: 'database/creds/long/none' }, 's.wrong');
    expect(refused.status).toBe(403);
    expect((await user()).how).toBe('HIT');
  });

  it('stays when a client renews it, and is then renewed by the agent for its own time', async () => {
    const { proxy, user, post } = await caching();
    const { lease } = await user();
    const short = await post('/v1/sys/leases/renew', { lease_id: lease, increment: 30 });
    expect(short.json.lease_duration).toBe(30);
    await eventually(() =>
      expect(proxy.facts.some((fact) => fact.kind === 'backend-answered' && fact.call.endsWith('leases/renew'))).toBe(
        true,
      ),
    );
    const { json } = await post('/v1/sys/leases/lookup', { lease_id: lease });
    expect(json.data.ttl).toBeGreaterThan(3_000);
    expect((await user()).how).toBe('HIT');
  });

  it("is dropped with the agent's login, and when its renewal is refused", async () => {
    const { proxy, user } = await caching();
    const first = await user();
    const { accessor } = (await proxy.ask('GET', '/v1/auth/token/lookup-self')).json.data;
    await world.bao.api('POST', 'auth/token/revoke-accessor', { accessor });
    expect((await proxy.ask('GET', '/v1/sys/mounts')).status).toBe(200); // the agent notices and logs in again
    const second = await user();
    expect([second.how, second.user !== first.user]).toEqual(['MISS', true]);
    const short = await user('/v1/database/creds/shop');
    await world.bao.api('POST', 'sys/leases/revoke', { lease_id: short.lease });
    await eventually(() => expect(proxy.facts.some(({ kind }) => kind === 'proxy-renew-failed')).toBe(true));
    expect((await user('/v1/database/creds/shop')).user).not.toBe(short.user);
  });

  it('beyond the limits is passed on and not kept, and no kept one is dropped for it', async () => {
    const { user } = await caching({ maxEntries: 1, maxBytes: 2 ** 20 });
    const first = await user();
    for (let i = 0; i < 2; i++) expect((await user('/v1/database/creds/long?other')).how).toBe('MISS');
    expect(await user()).toEqual({ ...first, how: 'HIT' });
    const tiny = await caching({ maxEntries: 9, maxBytes: 100 });
    for (let i = 0; i < 2; i++) expect((await tiny.user()).how).toBe('MISS');
  });
});

describe('a token made through the proxy', () => {
  const make = async ({ post }: Awaited<ReturnType<typeof caching>>, body: object, token?: string, path = 'create') =>
    (await post(`/v1/auth/token/${path}`, body, token)).json.auth as { client_token: string; accessor: string };

  it('has its leases and children kept, which are dropped when it is revoked', async () => {
    const at = await caching();
    const token = (await make(at, { ttl: '1h' })).client_token;
    const child = (await make(at, { ttl: '30m' }, token)).client_token;
    const headers = (token: string) => ({ headers: { 'X-Vault-Token': token } });
    const users = async () => [await at.user(CREDS, headers(token)), await at.user(CREDS, headers(child))];
    const before = await users();
    expect((await users()).map(({ how }) => how)).toEqual(['HIT', 'HIT']);
    expect(new Set(before.map(({ user }) => user)).size).toBe(2);
    expect((await at.post('/v1/auth/token/revoke', { token })).status).toBe(204);
    expect((await at.proxy.ask('GET', CREDS, headers(token))).status).toBe(403);
    expect((await at.proxy.ask('GET', CREDS, headers(child))).status).toBe(403);
    expect((await make(at, { ttl: '1h' })).client_token).not.toBe(token);
  });

  it('is dropped when it revokes itself, is revoked or cleared by its accessor, or cleared by name', async () => {
    const at = await caching();
    const ways: readonly ((made: { client_token: string; accessor: string }) => Promise<Got>)[] = [
      ({ client_token }) => at.post('/v1/auth/token/revoke-self', {}, client_token),
      ({ accessor }) => at.post('/v1/auth/token/revoke-accessor', { accessor }),
      ({ accessor }) => at.clear('token_accessor', accessor),
      ({ client_token }) => at.clear('token', client_token),
    ];
    for (const way of ways) {
      const made = await make(at, { ttl: '1h' });
      expect((await make(at, { ttl: '1h' })).client_token).toBe(made.client_token);
      expect((await way(made)).status).toBeLessThan(300);
      expect((await make(at, { ttl: '1h' })).client_token).not.toBe(made.client_token);
    }
  });

  it('has its leases dropped and its children kept when it is revoked without them', async () => {
    const at = await caching();
    const token = (await make(at, { ttl: '1h' })).client_token;
    const child = (await make(at, { ttl: '30m' }, token)).client_token;
    const headers = { headers: { 'X-Vault-Token': child } };
    const before = await at.user(CREDS, headers);
    expect((await at.post('/v1/auth/token/revoke-orphan', { token })).status).toBe(204);
    expect(await at.user(CREDS, headers)).toEqual({ ...before, how: 'HIT' });
  });
});

describe('a login through the proxy', () => {
  const logins = async (use: ProxyConfig['useAutoAuthToken']) => {
    await world.bao.api('POST', 'sys/auth/userpass', { type: 'userpass' }).catch(() => {});
    await world.bao.api('POST', 'auth/userpass/users/u', { password: 'p', token_policies: 'shop' });
    const at = await caching(BOUNDS, use);
    const login = async (password: string) => {
      const { status, headers, json } = await at.post('/v1/auth/userpass/login/u', { password });
      return { status, how: headers['x-cache'], token: json.auth?.client_token as string };
    };
    return { at, login };
  };

  it.each([false, true, 'force'] as const)(
    'is sent to the server each time, also after the password has changed (useAutoAuthToken: %s)',
    async (use) => {
      const { login } = await logins(use);
      const first = await login('p');
      const second = await login('p');
      expect([first.status, second.status, second.how, second.token === first.token]).toEqual([
        200,
        200,
        'MISS',
        false,
      ]);
      const atOnce = await Promise.all([1, 2, 3, 4].map(() => login('p')));
      expect(new Set(atOnce.map(({ token }) => token)).size).toBe(4);
      await world.bao.api('POST', 'auth/userpass/users/u/password', { password: 'changed' });
      expect((await login('p')).status).toBe(400);
      expect((await login('changed')).status).toBe(200);
      await world.bao.api('DELETE', 'auth/userpass/users/u');
      expect((await login('changed')).status).toBe(400);
    },
  );

  it('is recognised at any mount, also at one that looks like auth/token', async () => {
    await world.bao.api('POST', 'sys/auth/x/auth/token', { type: 'userpass' }).catch(() => {});
    await world.bao.api('POST', 'auth/x/auth/token/users/u', { password: 'p', token_policies: 'shop' });
    const { post } = await caching();
    const login = async () => (await post('/v1/auth/x/auth/token/login/u', { password: 'p' })).json.auth.client_token;
    expect(await login()).not.toBe(await login());
  });

  it('gives a token whose leases are kept, without a login of the agent', async () => {
    const { at, login } = await logins(false);
    const tokens = [await login('p'), await login('p')].map(({ token }) => ({ headers: { 'X-Vault-Token': token } }));
    const made = [];
    for (const headers of tokens) made.push(await at.user(CREDS, headers));
    for (const [i, headers] of tokens.entries()) {
      expect(await at.user(CREDS, headers)).toEqual({ ...made[i], how: 'HIT' });
    }
    expect(new Set(made.map(({ user }) => user)).size).toBe(2);
    expect(at.proxy.facts.some(({ kind }) => kind === 'login-made')).toBe(false);
  });

  it('that is repeated leaves few tokens behind: only the last ones are renewed', async () => {
    const { at, login } = await logins(false);
    const tokens: string[] = [];
    for (let i = 0; i < 9; i++) tokens.push((await login('p')).token);
    const headers = (token = '') => ({ headers: { 'X-Vault-Token': token } });
    for (const how of ['MISS', 'MISS']) expect((await at.user(CREDS, headers(tokens[0]))).how).toBe(how);
    for (const how of ['MISS', 'HIT']) expect((await at.user(CREDS, headers(tokens[1]))).how).toBe(how);
  });
});

describe('cache-clear', () => {
  it.each([
    ['no JSON', '{', 400],
    ['an unknown type', '{"type":"x","value":"y"}', 400],
    ['no value', '{"type":"lease"}', 400],
    ['all', '{"type":"all"}', 200],
  ])('answers %s', async (_title, body, status) => {
    const { proxy } = await caching();
    expect((await proxy.ask('POST', '/agent/v1/cache-clear', { body })).status).toBe(status);
  });
});
