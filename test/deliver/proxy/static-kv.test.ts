import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { AuthConfig } from '../../../src/backend/vault/config/config.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { Secret } from '../../../src/base/secret.ts';
import type { ProxyConfig } from '../../../src/config/config.ts';
import { type Answerer, reply, route, startFaultServer } from '../../faults/fault-server.ts';
import { startWorld, type World, writePolicy } from '../../servers/index.ts';
import { eventually } from '../../system/agent.helpers.ts';
import { type Asking, startProxy } from './proxy.helpers.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
  await writePolicy(
    world.bao,
    'shop',
    'path "*" { capabilities = ["create", "read", "update", "patch", "delete", "list"] }',
  );
});
afterAll(() => world.stop());

const BOUNDS = { maxEntries: 100, maxBytes: 2 ** 20, staticKv: { maxStaleMs: 60_000 } };

/** A clock that a test can set ahead of the machine's. */
function movable() {
  let aheadMs = 0;
  const clock = { ...systemClock, monoMs: () => systemClock.monoMs() + aheadMs };
  const ahead = (ms: number) => {
    aheadMs += ms;
  };
  return { clock, ahead };
}

async function caching(
  options: { cache?: ProxyConfig['cache']; useAutoAuthToken?: ProxyConfig['useAutoAuthToken'] } = {},
) {
  const { cache = BOUNDS, useAutoAuthToken = true } = options;
  const auth = { method: 'kubernetes', role: 'shop', tokenFile: world.tokenFile } as Partial<AuthConfig>;
  const { clock, ahead } = movable();
  const proxy = await startProxy({ address: world.bao.address, auth, proxy: { cache, useAutoAuthToken }, clock });
  const read = async (path: string, more?: Asking) => {
    const got = await proxy.ask('GET', `/v1/${path}`, more);
    return `${got.headers['x-cache']} ${got.status} ${JSON.stringify(got.json.data?.data ?? got.json.data)}`;
  };
  return { proxy, read, ahead };
}

describe('a static secret', () => {
  it('is given again, with its age, until it is too old', async () => {
    const { proxy, read, ahead } = await caching();
    await world.putSecret('s1', { a: 1 });
    expect(await read('secret/data/shop/s1')).toBe('MISS 200 {"a":1}');
    await world.putSecret('s1', { a: 2 });
    ahead(59_000);
    expect(await read('secret/data/shop/s1')).toBe('HIT 200 {"a":1}');
    expect((await proxy.ask('GET', '/v1/secret/data/shop/s1')).headers['age']).toMatch(/^(59|60)$/);
    ahead(1_001);
    expect(await read('secret/data/shop/s1')).toBe('MISS 200 {"a":2}');
  });

  it('of KV version 1 is given again too, and of KV version 2 each version by itself', async () => {
    const { read } = await caching();
    await world.bao.api('POST', 'kv1/s2', { a: 1 });
    expect(await read('kv1/s2')).toBe('MISS 200 {"a":1}');
    expect(await read('kv1/s2')).toBe('HIT 200 {"a":1}');
    await world.putSecret('s2', { a: 1 });
    await world.putSecret('s2', { a: 2 });
    expect(await read('secret/data/shop/s2?version=1')).toBe('MISS 200 {"a":1}');
    expect(await read('secret/data/shop/s2')).toBe('MISS 200 {"a":2}');
    expect(await read('secret/data/shop/s2?version=1')).toBe('HIT 200 {"a":1}');
  });

  it.each<[string, (path: string) => readonly [string, string, object?]]>([
    ['a write', (path) => ['POST', `secret/data/${path}`, { data: { a: 2 } }]],
    ['a write in other spelling', (path) => ['POST', `secret/data/${path.replace('/', '%2F')}`, { data: { a: 2 } }]],
    ['a patch', (path) => ['PATCH', `secret/data/${path}`, { data: { a: 2 } }]],
    ['a deletion', (path) => ['DELETE', `secret/data/${path}`]],
    ['a deletion of a version', (path) => ['POST', `secret/delete/${path}`, { versions: [1] }]],
    ['a destruction', (path) => ['PUT', `secret/destroy/${path}`, { versions: [1] }]],
    ['the end of its metadata', (path) => ['DELETE', `secret/metadata/${path}`]],
    ['a refused write', (path) => ['POST', `secret/data/${path}`, { data: 'none' }]],
  ])('is read anew after %s through the proxy', async (title, how) => {
    const { proxy, read } = await caching();
    const name = `shop/w-${title.replaceAll(' ', '-')}`;
    await world.bao.api('POST', `secret/data/${name}`, { data: { a: 1 } });
    for (const expected of ['MISS', 'HIT']) expect(await read(`secret/data/${name}`)).toMatch(expected);
    const [method, path, body] = how(name);
    const headers = { 'Content-Type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' };
    await proxy.ask(method, `/v1/${path}`, { headers, ...(body === undefined ? {} : { body }) });
    expect(await read(`secret/data/${name}`)).toMatch('MISS');
  });

  it('is read anew after a client with a token of its own wrote it, and with no-cache', async () => {
    const { proxy, read } = await caching();
    await world.putSecret('s3', { a: 1 });
    for (const expected of ['MISS', 'HIT']) expect(await read('secret/data/shop/s3')).toMatch(expected);
    expect(await read('secret/data/shop/s3', { headers: { 'Cache-Control': 'No-Cache' } })).toMatch('MISS');
    expect(await read('secret/data/shop/s3')).toMatch('HIT');
    const headers = { 'X-Vault-Token': world.bao.rootToken };
    await proxy.ask('POST', '/v1/secret/data/shop/s3', { headers, body: { data: { a: 2 } } });
    expect(await read('secret/data/shop/s3')).toBe('MISS 200 {"a":2}');
  });

  it('is neither kept from nor given to a client with its own token', async () => {
    const { read } = await caching();
    await world.putSecret('s4', { a: 1 });
    await read('secret/data/shop/s4');
    const root = { headers: { 'X-Vault-Token': world.bao.rootToken } };
    for (let i = 0; i < 2; i++) expect(await read('secret/data/shop/s4', root)).toBe('MISS 200 {"a":1}');
    expect(await read('secret/data/shop/s4', { headers: { 'X-Vault-Token': 's.wrong' } })).toMatch('MISS 403');
  });

  it('is the only kind kept: no list, metadata, or answer that is wrapped, of another namespace, absent or refused', async () => {
    const { proxy, read } = await caching();
    await world.putSecret('s5', { a: 1 });
    for (let i = 0; i < 2; i++) {
      expect(await read('secret/metadata/shop/s5')).toMatch('MISS 200');
      expect(await read('secret/metadata/shop?list=true')).toMatch('MISS 200');
      expect((await proxy.ask('LIST', '/v1/secret/metadata/shop')).headers['x-cache']).toBe('MISS');
      expect(await read('secret/data/shop/s5', { headers: { 'X-Vault-Wrap-TTL': '60' } })).toMatch('MISS 200');
      expect(await read('secret/data/shop/s5', { headers: { 'X-Vault-Namespace': 'none' } })).toMatch('MISS');
      expect(await read('secret/data/shop/absent')).toMatch('MISS 404');
      expect(await read('sys/internal/ui/mounts/secret')).toMatch('MISS 200');
    }
  });

  it('is dropped for another when there is no room, the least recently used first', async () => {
    const { proxy, read } = await caching({ cache: { ...BOUNDS, maxEntries: 2 } });
    for (const name of ['r1', 'r2', 'r3']) await world.putSecret(name, { name });
    await read('secret/data/shop/r1');
    await read('secret/data/shop/r2');
    expect(await read('secret/data/shop/r1')).toMatch('HIT');
    await read('secret/data/shop/r3');
    expect(await read('secret/data/shop/r1')).toMatch('HIT');
    expect(await read('secret/data/shop/r2')).toMatch('MISS');
    await proxy.ask('POST', '/agent/v1/cache-clear', { body: { type: 'request_path', value: 'secret/data/shop/r2' } });
    expect(await read('secret/data/shop/r2')).toMatch('MISS');
  });

  it('is read once when many ask for it at once', async () => {
    const { proxy } = await caching();
    await world.putSecret('s6', { a: 1 });
    const got = await Promise.all(Array.from({ length: 20 }, () => proxy.ask('GET', '/v1/secret/data/shop/s6')));
    expect(got.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(got.filter(({ headers }) => headers['x-cache'] === 'MISS')).toHaveLength(1);
  });

  it('is still given while the backend is down, and becomes an error of the proxy after that', async () => {
    const own = await startWorld();
    onTestFinished(() => own.stop());
    await own.putSecret('app', { a: 1 });
    const auth = { method: 'kubernetes', role: 'shop', tokenFile: own.tokenFile } as Partial<AuthConfig>;
    const { clock, ahead } = movable();
    const proxy = await startProxy({ address: own.bao.address, auth, proxy: { cache: BOUNDS }, clock });
    const ask = async () => (await proxy.ask('GET', '/v1/secret/data/shop/app')).status;
    expect(await ask()).toBe(200);
    await own.bao.kill();
    expect(await ask()).toBe(200);
    ahead(60_001);
    expect(await ask()).toBe(502);
  });
});

describe('a read and a write at the same time', () => {
  it('leave no old value in the cache', async () => {
    const held: (() => void)[] = [];
    const alive = reply(200, JSON.stringify({ data: { id: 's.own', ttl: 0, renewable: false } }));
    const mount = reply(200, JSON.stringify({ data: { path: 'kv/', type: 'kv', options: { version: '1' } } }));
    const secret: Answerer = (asked, socket) => {
      const answer = () => reply(200, JSON.stringify({ data: { a: 'old' } }))(asked, socket);
      if (asked.method === 'GET') held.push(answer);
      else reply(204)(asked, socket);
    };
    const server = await startFaultServer(
      route({ '/v1/auth/token/lookup-self': alive, '/v1/sys/internal/ui/mounts': mount, '/v1/kv/a': secret }),
    );
    onTestFinished(() => server[Symbol.asyncDispose]());
    const auth = { method: 'token', token: Secret.text('s.own') } as const;
    const proxy = await startProxy({ address: server.address, auth, proxy: { cache: BOUNDS } });
    const first = proxy.ask('GET', '/v1/kv/a');
    await eventually(() => expect(held).toHaveLength(1));
    expect((await proxy.ask('PUT', '/v1/kv/a', { body: { a: 'new' } })).status).toBe(204);
    held[0]?.();
    expect((await first).status).toBe(200);
    const second = proxy.ask('GET', '/v1/kv/a');
    await eventually(() => expect(held).toHaveLength(2));
    held[1]?.();
    expect((await second).headers['x-cache']).toBe('MISS');
    expect((await proxy.ask('GET', '/v1/kv/a')).headers['x-cache']).toBe('HIT');
  });
});
