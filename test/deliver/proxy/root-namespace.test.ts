import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import { belowRoot } from '../../../src/deliver/proxy/root-namespace.ts';
import { startWorld, type World } from '../../servers/index.ts';
import { type Asking, startProxy } from './proxy.helpers.ts';

/** `team` has the child `a`; beside it is `other`. Each has KV version 1 at `kv/`, which tells its own name. */
let world: World;
beforeAll(async () => {
  world = await startWorld();
  const { bao } = world;
  for (const [parent, name] of [
    ['', 'team'],
    ['', 'other'],
    ['team', 'a'],
  ] as const) {
    await bao.api('POST', `sys/namespaces/${name}`, {}, { token: bao.rootToken, namespace: parent });
    const inside = { token: bao.rootToken, namespace: parent === '' ? name : `${parent}/${name}` };
    await bao.api('POST', 'sys/mounts/kv', { type: 'kv' }, inside);
    await bao.api('POST', 'kv/who', { is: inside.namespace }, inside);
  }
});
afterAll(() => world.stop());

async function rooted(more: object = {}) {
  return await startProxy({
    address: world.bao.address,
    auth: { method: 'none' },
    backend: { namespace: 'team' },
    proxy: { useAutoAuthToken: false, rootNamespace: 'team', ...more },
  });
}

const who = async (proxy: Awaited<ReturnType<typeof rooted>>, headers: Asking['headers'], path = '/v1/kv/who') => {
  const got = await proxy.ask('GET', path, { headers: { 'X-Vault-Token': world.bao.rootToken, ...headers } });
  return got.status === 200 ? got.json.data.is : got.status;
};

describe('a namespace that clients see as the root', () => {
  it.each([
    ['no namespace', {}, 'team'],
    ['an empty one', { 'X-Vault-Namespace': '' }, 'team'],
    ['root', { 'X-Vault-Namespace': 'root' }, 'team'],
    ['a slash', { 'X-Vault-Namespace': '/' }, 'team'],
    ['a child', { 'X-Vault-Namespace': 'a' }, 'team/a'],
    ['a child between slashes', { 'x-vault-NAMESPACE': '//a/' }, 'team/a'],
  ])('is where %s leads', async (_title, headers, is) => {
    expect(await who(await rooted(), headers)).toBe(is);
  });

  it.each([
    ['other', 404],
    ['/other', 404],
    ['team', 404],
    ['..', 400],
    ['../other', 400],
    ['a/../../other', 400],
    ['./other', 400],
    ['%2e%2e/other', 400],
    ['..%2fother', 400],
    ['..\\other', 400],
    ['%2fother', 400],
    ['root/other', 404],
  ])('cannot be left by the namespace %s', async (namespace, status) => {
    expect(await who(await rooted(), { 'X-Vault-Namespace': namespace })).toBe(status);
  });

  it.each([
    ['/v1/a/kv/who', 'team/a'],
    ['/v1/other/kv/who', 404],
    ['/v1/../other/kv/who', 400],
    ['/v1/%2e%2e/other/kv/who', 400],
    ['/v1//other/kv/who', 307],
  ])('cannot be left by the path %s', async (path, is) => {
    expect(await who(await rooted(), {}, path)).toBe(is);
  });

  it('is refused twice in one request, and hidden behind Connection', async () => {
    const proxy = await rooted();
    const headers = { 'X-Vault-Namespace': 'other', Connection: 'close, X-Vault-Namespace' };
    expect(await who(proxy, headers)).toBe(400);
  });

  it('is that of a login inside of a request too', () => {
    const given = { passed: ['X-Vault-Inline-Auth-Namespace', 'other'], headers: {} };
    const headers = { 'x-vault-inline-auth-namespace': 'other' };
    expect(belowRoot({ ...given, headers }, 'team')).toEqual({
      passed: ['X-Vault-Inline-Auth-Namespace', 'team/other', 'X-Vault-Namespace', 'team'],
      headers: { 'x-vault-inline-auth-namespace': 'team/other', 'x-vault-namespace': 'team' },
    });
  });

  it('is the one whose paths cache-clear drops', async () => {
    const proxy = await startProxy({
      address: world.bao.address,
      auth: { method: 'token', token: Secret.text(world.bao.rootToken) },
      backend: { namespace: 'team' },
      proxy: { rootNamespace: 'team', cache: { maxEntries: 9, maxBytes: 9_999, staticKv: { maxStaleMs: 60_000 } } },
    });
    const read = async () => (await proxy.ask('GET', '/v1/kv/who')).headers['x-cache'];
    expect([await read(), await read()]).toEqual(['MISS', 'HIT']);
    const clear = (namespace: string) => {
      const body = { type: 'request_path', value: 'kv/who', namespace };
      return proxy.ask('POST', '/proxy/v1/cache-clear', { body });
    };
    expect((await clear('other')).status).toBe(200);
    expect(await read()).toBe('HIT');
    expect((await clear('')).status).toBe(200);
    expect(await read()).toBe('MISS');
  });
});

describe('quit', () => {
  it.each(['/agent/v1/quit', '/proxy/v1/quit'])('%s ends the agent where it is allowed', async (path) => {
    const proxy = await rooted({ quit: true });
    expect((await proxy.ask('GET', path)).status).toBe(405);
    expect(proxy.stops).toEqual([]);
    expect((await proxy.ask('POST', path)).status).toBe(200);
    await expect.poll(() => proxy.stops).toEqual([1]);
  });

  it('ends nothing where it is not', async () => {
    const proxy = await rooted();
    expect((await proxy.ask('POST', '/agent/v1/quit')).status).toBe(404);
    expect(proxy.stops).toEqual([]);
  });
});
