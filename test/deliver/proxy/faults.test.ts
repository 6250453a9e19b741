import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import {
  type Answerer,
  drip,
  flood,
  halfBody,
  hang,
  reply,
  reset,
  route,
  startFaultServer,
} from '../../faults/fault-server.ts';
import { findFreePort } from '../../servers/index.ts';
import { eventually } from '../../system/agent.helpers.ts';
import { askAt, type ProxyingOptions, startProxy } from './proxy.helpers.ts';

const CANARY = 'canary-7';
const TOKEN = 's.own';
const alive = reply(200, JSON.stringify({ data: { id: TOKEN, ttl: 0, renewable: false } }));

async function fronting(answerer: Answerer, more: Partial<ProxyingOptions> = {}) {
  const server = await startFaultServer(route({ '/v1/auth/token/lookup-self': alive, '/v1/x': answerer }));
  onTestFinished(() => server[Symbol.asyncDispose]());
  const auth = { method: 'token', token: Secret.text(TOKEN) } as const;
  const proxy = await startProxy({ address: server.address, auth, ...more });
  return { server, proxy, seen: () => server.requests.filter(({ path }) => path.startsWith('/v1/x')) };
}

it("that has not made its first login yet lets no client end it by the login's own token", async () => {
  const held: (() => void)[] = [];
  const server = await startFaultServer((request, socket) => {
    if (request.path.startsWith('/v1/auth/token/lookup-self')) held.push(() => alive(request, socket));
    else reply(204)(request, socket);
  });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const auth = { method: 'token', token: Secret.text(TOKEN) } as const;
  const proxy = await startProxy({ address: server.address, auth });
  const headers = { 'X-Vault-Token': TOKEN };
  const asked = [
    proxy.ask('POST', '/v1/auth/token/revoke-self', { headers }),
    proxy.ask('POST', '/v1/auth/token/revoke', { headers: { 'X-Vault-Token': 's.other' }, body: { token: TOKEN } }),
  ];
  await eventually(() => held.length > 0);
  expect(server.requests.map(({ path }) => path)).not.toContainEqual(expect.stringContaining('revoke'));
  for (const answer of held) answer();
  for (const { status, text } of await Promise.all(asked)) {
    expect([status, text]).toEqual([403, expect.stringContaining('PROXY_OWN_LOGIN')]);
  }
  expect(server.requests.map(({ path }) => path)).not.toContainEqual(expect.stringContaining('revoke'));
});

describe('a backend in trouble', () => {
  it.each([
    ['resets the connection', reset, 502],
    ['speaks no HTTP', (_r, s) => s.end(`${CANARY} ${CANARY}\r\n\r\n`), 502],
    ['closes without a word', (_r, s) => s.end(), 502],
  ] as readonly (readonly [string, Answerer, number])[])(
    'that %s is answered with an error of the proxy',
    async (_t, answer, status) => {
      const { proxy } = await fronting(answer);
      const got = await proxy.ask('GET', '/v1/x');
      expect([got.status, got.json.errors]).toEqual([status, [expect.stringMatching(/^pannier: .*BACKEND_/)]]);
      expect(got.text).not.toContain(CANARY);
      expect(proxy.answered()).toMatchObject([{ status, failure: { code: expect.stringMatching(/^BACKEND_/) } }]);
    },
  );

  it.each([{}, { cache: { staticKv: { maxStaleMs: 30_000 }, maxEntries: 10, maxBytes: 10_000 } }])(
    'that is down is a 502, and a 503 for requests that need a login, without a long wait (%j)',
    async (more) => {
      const auth = { method: 'token', token: Secret.text(TOKEN) } as const;
      const address = `http://127.0.0.1:${await findFreePort()}`;
      // A login may take a day here, and the request does not wait for that.
      const proxy = await startProxy({ address, auth, proxy: more, backend: { timeoutMs: 86_400_000 } });
      for (const [path, status] of [['/v1/sys/health', 502] as const, ...Array(3).fill(['/v1/secret/data/x', 503])]) {
        const got = await proxy.ask('GET', path);
        expect([path, got.status, got.text]).toEqual([path, status, expect.stringContaining('BACKEND_UNREACHABLE')]);
        if (status === 503) expect(got.json.errors).toEqual([expect.stringMatching(/^pannier: there is no login: /)]);
      }
    },
  );

  it('that does not answer a login is a 503 after the time that a login may take', async () => {
    const server = await startFaultServer(hang);
    onTestFinished(() => server[Symbol.asyncDispose]());
    const auth = { method: 'token', token: Secret.text(TOKEN) } as const;
    const proxy = await startProxy({ address: server.address, auth, backend: { timeoutMs: 300 } });
    const got = await proxy.ask('GET', '/v1/x');
    expect([got.status, got.text]).toEqual([503, expect.stringContaining('there is no login')]);
  });

  it('that gives no login is a 503', async () => {
    const server = await startFaultServer(reply(403, '{"errors":["permission denied"]}'));
    onTestFinished(() => server[Symbol.asyncDispose]());
    const auth = { method: 'token', token: Secret.text(TOKEN) } as const;
    const proxy = await startProxy({ address: server.address, auth, backend: { timeoutMs: 86_400_000 } });
    const got = await proxy.ask('GET', '/v1/x');
    expect([got.status, got.text]).toEqual([503, expect.stringContaining('there is no login')]);
  });

  it('that breaks off an answer makes the proxy break it off too', async () => {
    const { proxy } = await fronting(halfBody);
    await expect(proxy.ask('GET', '/v1/x')).rejects.toMatchObject({ code: 'ECONNRESET' });
    await eventually(() => expect(proxy.answered()).toHaveLength(1));
  });

  it('that closed a kept connection gets the request again over a new one', async () => {
    const once = reply(200, '{}');
    const { proxy, seen } = await fronting((asked, socket) => (asked.nth > 1 ? reset : once)(asked, socket));
    for (let i = 0; i < 4; i++) expect((await proxy.ask('POST', '/v1/x', { body: { i } })).status).toBe(200);
    expect(seen().filter(({ nth }) => nth > 1).length).toBeGreaterThan(0);
  });

  it('has its redirects, unusual statuses and own headers passed on', async () => {
    const answers: Record<string, Answerer> = {
      '/v1/x/307': reply(307, '', { Location: 'http://elsewhere.test/v1/x' }),
      '/v1/x/473': reply(473, '{"errors":[]}', { 'Retry-After': '3', Connection: 'keep-alive, X-Hop', 'X-Hop': '1' }),
    };
    const { proxy, seen } = await fronting(route(answers));
    const moved = await proxy.ask('GET', '/v1/x/307?a=%2F&b');
    expect([moved.status, moved.headers['location']]).toEqual([307, 'http://elsewhere.test/v1/x']);
    const standby = await proxy.ask('GET', '/v1/x/473');
    expect([standby.status, standby.headers['retry-after'], standby.headers['x-hop']]).toEqual([473, '3', undefined]);
    expect(seen().map(({ path }) => path)).toEqual(['/v1/x/307?a=%2F&b', '/v1/x/473']);
  });
});

describe('what a request carries', () => {
  it('is passed on, except for headers of one hop', async () => {
    const { proxy, seen } = await fronting(reply(200, '{}'));
    const headers = {
      'X-Vault-Policy-Override': 'true',
      'X-Own': 'ä',
      Connection: 'close, X-Mine',
      'X-Mine': '1',
      TE: 'trailers',
      Upgrade: 'websocket',
      'Proxy-Authorization': 'Basic x',
    };
    await proxy.ask('GET', '/v1/x', { headers });
    const [{ headers: passed } = { headers: {} as Record<string, string> }] = seen();
    expect(passed).toMatchObject({ 'x-vault-policy-override': 'true', 'x-own': 'ä', 'x-vault-token': TOKEN });
    for (const name of ['x-mine', 'te', 'upgrade', 'proxy-authorization']) expect(passed[name]).toBeUndefined();
  });

  it.each(['X-Vault-Token', 'Authorization', 'X-Vault-Namespace', 'X-Vault-Wrap-TTL', 'X-Vault-Request'])(
    'is refused when %s came twice',
    async (name) => {
      const { proxy, seen } = await fronting(reply(200, '{}'));
      const socket = connect({ path: proxy.socket });
      const answer = new Promise((resolve) => socket.once('data', (chunk) => resolve(chunk.toString())));
      socket.write(`GET /v1/x HTTP/1.1\r\nHost: x\r\n${name}: true\r\n${name}: true\r\n\r\n`);
      expect(await answer).toMatch(/^HTTP\/1.1 400 /);
      socket.destroy();
      expect(seen()).toEqual([]);
    },
  );

  it.each(['/v1/x/../y', '/v1/x/%2e%2E/y', '/v1/x/..%2fy', '/v1/..', '/v1/x/.', '/v1/x/%zz', '/v1', '/', '/ui/'])(
    'is refused when its path is %s',
    async (path) => {
      const { proxy, server } = await fronting(reply(200, '{}'));
      expect([400, 404]).toContain((await proxy.ask('GET', path)).status);
      expect(server.requests.filter((one) => one.path !== '/v1/auth/token/lookup-self')).toEqual([]);
    },
  );

  it('must include X-Vault-Request where that is configured, and over TCP no other host', async () => {
    const { proxy, seen } = await fronting(reply(200, '{}'), { tcp: true, requireRequestHeader: true });
    expect((await proxy.ask('GET', '/v1/x')).status).toBe(412);
    const headers = { 'X-Vault-Request': 'true' };
    expect((await proxy.ask('GET', '/v1/x', { headers: { ...headers, Host: 'evil.test' } })).status).toBe(421);
    expect((await proxy.ask('GET', '/v1/x', { headers: { ...headers, 'X-Forwarded-For': '1.2.3.4' } })).status).toBe(
      400,
    );
    expect((await proxy.ask('GET', '/v1/x', { headers: { ...headers, Origin: 'http://localhost' } })).status).toBe(403);
    expect(seen()).toEqual([]);
    expect((await proxy.ask('GET', '/v1/x', { headers })).status).toBe(200);
  });
});

describe('a client that', () => {
  it('is refused keeps its connection, unless it is still sending', async () => {
    const { proxy } = await fronting(reply(200, '{}'));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const where = { socketPath: proxy.socket, agent };
    expect((await askAt(where, 'GET', '/ui/')).headers['connection']).toBe('keep-alive');
    expect((await askAt(where, 'GET', '/v1/x')).headers['connection']).toBe('keep-alive');
    const long = { body: 'y'.repeat(5 * 2 ** 20) };
    expect((await askAt(where, 'POST', '/ui/', long)).headers['connection']).toBe('close');
  });

  it('leaves ends its request to the backend', async () => {
    const { proxy, server } = await fronting(drip);
    await proxy.ask('GET', '/v1/sys/health');
    const sent = request({ socketPath: proxy.socket, path: '/v1/x' });
    sent.on('error', () => {});
    await new Promise((resolve) => sent.on('response', resolve).end());
    const busy = server.open();
    sent.destroy();
    await eventually(() => expect(server.open()).toBe(busy - 1));
    await eventually(() => expect(proxy.answered().at(-1)?.failure?.code).toBe('CANCELLED'));
  });

  it('leaves before the answer frees the connection of a silent backend', async () => {
    const { proxy, server, seen } = await fronting(hang);
    const sent = request({ socketPath: proxy.socket, path: '/v1/x' });
    sent.on('error', () => {});
    sent.end();
    await eventually(() => expect(seen()).toHaveLength(1));
    const busy = server.open();
    sent.destroy();
    await eventually(() => expect(server.open()).toBe(busy - 1));
    await eventually(() => expect(proxy.answered()).toMatchObject([{ status: 0, failure: { code: 'CANCELLED' } }]));
  });

  it('reads slowly makes the backend wait, and nothing is buffered without bound', async () => {
    const { proxy } = await fronting(flood(300 * 2 ** 20));
    const rssBefore = process.memoryUsage().rss;
    const socket = connect({ path: proxy.socket });
    socket.on('error', () => {});
    socket.write('GET /v1/x HTTP/1.1\r\nHost: x\r\n\r\n');
    socket.pause();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(process.memoryUsage().rss - rssBefore).toBeLessThan(100 * 2 ** 20);
    socket.destroy();
    await eventually(() => expect(proxy.answered()).toHaveLength(1));
  });

  it('sends a long body has it passed on in pieces, and learns when the server does not take it', async () => {
    const early = await fronting((_asked, socket) => reply(413, '{"errors":[]}')(_asked, socket));
    // The fault server reads as many bytes as Content-Length says, so it answers after the body.
    const got = await early.proxy.ask('POST', '/v1/x', { body: 'y'.repeat(5 * 2 ** 20) });
    expect(got.status).toBe(413);
    expect(early.seen()[0]?.body.length).toBe(5 * 2 ** 20);
  });
});

describe('a cache in front of the server', () => {
  const lease = { lease_id: 'x/1', lease_duration: 60, renewable: true, data: { a: 1 } };
  const cache = { maxEntries: 10, maxBytes: 10_000 };

  it('adds its Age to that of an answer, and shortens the lease in it', async () => {
    const { proxy } = await fronting(reply(200, JSON.stringify(lease), { Age: 50 }), { proxy: { cache } });
    expect((await proxy.ask('GET', '/v1/x')).headers['x-cache']).toBe('MISS');
    const again = await proxy.ask('GET', '/v1/x');
    expect([again.headers['x-cache'], Number(again.headers['age']) >= 50]).toEqual(['HIT', true]);
  });

  it('that answers with a lease past its end has it not kept', async () => {
    const { proxy } = await fronting(reply(200, JSON.stringify(lease), { Age: 60 }), { proxy: { cache } });
    const how = async () => (await proxy.ask('GET', '/v1/x')).headers['x-cache'];
    expect([await how(), await how()]).toEqual(['MISS', 'MISS']);
  });
});
