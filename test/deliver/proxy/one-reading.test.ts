import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import { type Answerer, reply, startFaultServer } from '../../faults/fault-server.ts';
import { startWorld, type World } from '../../servers/index.ts';
import { startProxy } from './proxy.helpers.ts';

const CACHE = { maxEntries: 100, maxBytes: 2 ** 20, staticKv: { maxStaleMs: 60_000 } };

/** A server that answers with what was written there, or with the namespace. `kv/` is KV 1; other paths give leases. */
async function fronting() {
  const kept = new Map<string, string>();
  const json = (body: object) => reply(200, JSON.stringify(body), { 'Content-Type': 'application/json' });
  const answer: Answerer = (asked, socket) => {
    const namespace = asked.headers['x-vault-namespace'] ?? '';
    const path = decodeURIComponent(Buffer.from(asked.path, 'latin1').toString()).replace(/^\/v1\//, '');
    const place = `${namespace}/${path}`;
    if (path === 'auth/token/lookup-self') return json({ data: { id: 's.own', ttl: 0 } })(asked, socket);
    if (path.startsWith('sys/internal/ui/mounts/kv')) {
      return json({ data: { path: 'kv/', type: 'kv', options: { version: '1' } } })(asked, socket);
    }
    if (asked.method === 'PUT') {
      kept.set(place, asked.body);
      return reply(204)(asked, socket);
    }
    const lease = { lease_id: `${place}#${asked.nth}`, lease_duration: 3600, renewable: true };
    const data = { of: kept.get(place) ?? namespace, form: asked.headers['content-type'] ?? '' };
    return json(path.startsWith('kv/') ? { data } : { ...lease, data })(asked, socket);
  };
  const server = await startFaultServer(answer);
  onTestFinished(() => server[Symbol.asyncDispose]());
  const auth = { method: 'token', token: Secret.text('s.own') } as const;
  const proxy = await startProxy({ address: server.address, auth, proxy: { cache: CACHE } });
  const of = async (path: string, headers: Readonly<Record<string, string>> = {}) => {
    const { json, status, headers: told } = await proxy.ask('GET', path, { headers });
    return `${status} ${told['x-cache'] ?? ''} ${json.data?.of ?? ''}`;
  };
  const seen = () => server.requests.filter(({ path }) => /^\/v1\/(?!auth\/token\/lookup-self|sys)/.test(path));
  return { proxy, server, of, seen };
}

/** Namespaces of a real server; `team/a` is the configured one. */
let world: World & { putInTeam(v: string): Promise<unknown> };
beforeAll(async () => {
  const started = await startWorld();
  const { bao } = started;
  await bao.api('POST', 'sys/namespaces/team', {});
  await bao.api('POST', 'team/sys/namespaces/a', {});
  await bao.api('POST', 'team/a/sys/mounts/kv', { type: 'kv', options: { version: '1' } });
  world = Object.assign(started, { putInTeam: (v: string) => bao.api('POST', 'team/a/kv/x', { v }) });
});
afterAll(() => world.stop());

async function inTeam() {
  const auth = { method: 'token', token: Secret.text(world.bao.rootToken) } as const;
  const backend = { namespace: 'team/a' };
  return await startProxy({ address: world.bao.address, auth, backend, proxy: { cache: CACHE } });
}

describe('a header of one hop only', () => {
  it.each(['/v1/kv/a', '/v1/database/creds/a'])('never makes a request one of another namespace (%s)', async (path) => {
    const { of, proxy } = await fronting();
    const team = { 'X-Vault-Namespace': 'team' };
    for (const connection of ['X-Vault-Namespace', 'close, x-vault-namespace', 'keep-alive,X-VAULT-NAMESPACE']) {
      expect(await of(path, { ...team, Connection: connection })).toBe('400  ');
    }
    expect(await of(path, team)).toBe('200 MISS team');
    expect(await of(path)).toBe('200 MISS ');
    const hidden = { ...team, Connection: 'X-Vault-Namespace' };
    expect((await proxy.ask('PUT', path, { headers: hidden, body: 'new' })).status).toBe(400);
  });

  it.each(['X-Vault-Token', 'Authorization', 'X-Vault-Wrap-TTL', 'X-Vault-Request', 'Cache-Control', 'Content-Type'])(
    'is not %s: the request is refused',
    async (name) => {
      const { proxy, seen } = await fronting();
      const got = await proxy.ask('GET', '/v1/kv/a', { headers: { [name]: 'true', Connection: name } });
      expect([got.status, got.text]).toEqual([400, expect.stringContaining('API_MALFORMED')]);
      expect(seen()).toEqual([]);
    },
  );

  it("is neither passed on nor part of the cache's key", async () => {
    const { of, seen } = await fronting();
    const hop = { Connection: 'X-Mine', 'X-Mine': '1', TE: 'trailers', 'Proxy-Authorization': 'Basic x' };
    expect(await of('/v1/database/creds/a', hop)).toBe('200 MISS ');
    expect(await of('/v1/database/creds/a')).toBe('200 HIT ');
    expect(Object.keys(seen()[0]?.headers ?? {})).not.toContain('x-mine');
  });
});

describe('a namespace', () => {
  it.each(['team/a', '/team/a/', 'team//a', '//team/a//'])(
    'written as %s is the one in which a write makes the next read a new one',
    async (written) => {
      await world.putInTeam('old');
      const proxy = await inTeam();
      const value = async () => (await proxy.ask('GET', '/v1/kv/x')).json.data.v;
      expect([await value(), await value()]).toEqual(['old', 'old']);
      const headers = { 'X-Vault-Token': world.bao.rootToken, 'X-Vault-Namespace': written };
      expect((await proxy.ask('PUT', '/v1/kv/x', { headers, body: { v: 'new' } })).status).toBe(204);
      expect(await value()).toBe('new');
      expect(proxy.answered().map(({ cache }) => cache)).toEqual(['miss', 'hit', 'miss', 'miss']);
    },
  );

  it.each(['team/./a', 'team/b/../a', '.', '..', '../team'])('is not %s: the request is refused', async (written) => {
    const { proxy, seen } = await fronting();
    const got = await proxy.ask('GET', '/v1/kv/a', { headers: { 'X-Vault-Namespace': written } });
    expect([got.status, got.text]).toEqual([400, expect.stringContaining('API_MALFORMED')]);
    expect(seen()).toEqual([]);
  });
});

describe('a request', () => {
  it('is a different one when its body has another type', async () => {
    const { proxy } = await fronting();
    const form = async (type: string) => {
      const headers = type === '' ? {} : { 'Content-Type': type };
      const got = await proxy.ask('POST', '/v1/database/creds/a', { headers, body: '{"a":1}' });
      return `${got.headers['x-cache']} ${got.json.data.form}`;
    };
    expect(await form('')).toBe('MISS ');
    expect(await form('application/json; charset=utf-8')).toBe('HIT ');
    expect(await form('application/x-www-form-urlencoded')).toBe('MISS application/x-www-form-urlencoded');
  });

  it.each(['/v1/kv/a', '/v1/%6bv/a', '/v1/kv%2Fa', '/v1/kv//a', '/v1//kv/a'])(
    'that writes to %s makes the next read a new one',
    async (path) => {
      const { proxy, of } = await fronting();
      for (const how of ['MISS', 'HIT']) expect(await of('/v1/kv/a')).toBe(`200 ${how} `);
      expect((await proxy.ask('PUT', path, { body: 'new' })).status).toBe(204);
      expect(await of('/v1/kv/a')).toMatch('200 MISS');
    },
  );

  it('whose path holds unencoded bytes is refused', async () => {
    const { proxy } = await fronting();
    const socket = connect({ path: proxy.socket });
    const answer = new Promise((resolve) => socket.once('data', (chunk) => resolve(chunk.toString())));
    socket.write('PUT /v1/kv/ä HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nnew');
    expect(await answer).toMatch(/^HTTP\/1.1 400 /);
    socket.destroy();
  });

  it.each(['TRACE', 'PROPFIND', 'SEARCH'])('with the method %s is refused', async (method) => {
    const { proxy, seen } = await fronting();
    const got = await proxy.ask(method, '/v1/kv/a');
    expect([got.status, got.text]).toEqual([405, expect.stringContaining('API_METHOD')]);
    expect(got.headers['allow']).toContain('LIST');
    expect(seen()).toEqual([]);
  });

  it.each([
    ['/v1/auth/token/renew/s.canary', 'auth/token/renew/…'],
    ['/v1/ns/a/auth/token/renew/s.canary', 'ns/a/auth/token/renew/…'],
    ['/v1/ns/sys/leases/revoke/aws/creds/x/canary', 'ns/sys/leases/revoke/…'],
    ['/v1/auth/token/renew%2fs.canary', 'auth/token/renew/…'],
    ['/v1/auth/token/renew%252fs.canary', 'auth/token/renew/…'],
    ['/v1/auth%2ftoken%2frenew%2fs.canary', 'auth/token/renew/…'],
    ['/v1/auth//token/renew/s.canary', 'auth/token/renew/…'],
    ['/v1/auth/token//renew//s.canary', 'auth/token/renew/…'],
    ['/v1/auth/%2ftoken/renew/s.canary', 'auth/token/renew/…'],
    ['/v1/%61uth/token/s.canary', 'auth/token/s/…'],
    ['//v1/auth/token/renew/s.canary', 'auth/token/renew/…'],
    ['/v1/sys/renew/database/creds/canary', 'sys/renew/…'],
    ['/v1/sys/wrapping/lookup/canary', 'sys/wrapping/lookup/…'],
    ['/v1/auth/token/renew/canary%zz', '(a path that cannot be read)'],
    ['/v1/auth/token/lookup-self', 'auth/token/lookup-self'],
    ['/v1/kv/a%0Ab', 'kv/a%0Ab'],
  ])('to %s is logged as %s', async (path, told) => {
    const { proxy } = await fronting();
    await proxy.ask('PUT', path);
    expect(proxy.answered().map(({ call }) => call)).toEqual([`PUT ${told}`]);
  });
});
