import { describe, expect, it } from 'vitest';
import { createService } from '../../../src/deliver/http/routes.ts';
import { ask, dial, listen, rest } from './listener.helpers.ts';

const hello = {
  method: 'GET',
  path: '/hello',
  handle: () => ({ status: 200, type: 'text/plain', body: 'hello' }),
} as const;
const well = { ...hello, path: '/livez', vital: true } as const;

describe('a listener', () => {
  it('answers 429 when all connections are taken, and still answers health', async () => {
    const { path } = await listen([hello, well], { maxConnections: 2, silentMs: 60_000 });
    await dial(path);
    await dial(path);
    const refused = await ask(path, '/hello');
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '1']);
    expect((await ask(path, '/livez')).status).toBe(200);
  });

  it('closes connections that send nothing, the oldest first, so that health is answered at once', async () => {
    const { path, listener } = await listen([well], { maxConnections: 2 });
    const silent = [];
    for (let i = 0; i < 60; i++) silent.push(await dial(path));
    const asked = performance.now();
    expect((await ask(path, '/livez')).status).toBe(200);
    expect(performance.now() - asked).toBeLessThan(5_000); // less than the ten seconds that headers may take
    expect(listener.connections).toBeLessThanOrEqual(19);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([silent[0]?.destroyed, silent.at(-1)?.destroyed]).toEqual([true, false]);
  });

  it('begins no further request of a connection whose answers are not taken, and answers all in order', async () => {
    let begun = 0;
    const big = {
      ...hello,
      path: '/big',
      handle: () => ({ status: 200, type: 'text/plain', body: `${++begun};${'x'.repeat(4 * 2 ** 20)}` }),
    } as const;
    const { path } = await listen([big, hello]);
    const greedy = await dial(path);
    greedy.pause();
    greedy.write('GET /big HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(20));
    while (begun === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect((await ask(path, '/hello')).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(begun).toBe(1);
    greedy.write('GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    const all = rest(greedy);
    greedy.resume();
    const numbers = [...(await all).matchAll(/(\d+);x/g)].map(([, number]) => Number(number));
    expect(numbers).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(await all).toMatch(/hello$/);
  });

  it('closes the oldest silent connection rather than refuse a request', async () => {
    const { path, listener } = await listen([hello], { maxConnections: 3, silentMs: 100 });
    const silent = [];
    for (let i = 0; i < 25; i++) silent.push(await dial(path));
    await new Promise((resolve) => setTimeout(resolve, 150));
    for (let i = 0; i < 3; i++) expect((await ask(path, '/hello')).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(silent[0]?.destroyed).toBe(true);
    expect(silent.at(-1)?.destroyed).toBe(false);
    expect(listener.connections).toBeLessThan(25);
  });

  it('answers a connection that was opened in a crowd as soon as another one is silent', async () => {
    const { path } = await listen([hello], { maxConnections: 1, silentMs: 100 });
    await dial(path);
    const late = await dial(path);
    await new Promise((resolve) => setTimeout(resolve, 150));
    late.write('GET /hello HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(String(await new Promise((resolve) => late.once('data', resolve)))).toMatch(/^HTTP\/1.1 200 /);
  });

  it('closes a used idle connection rather than refuse a new one', async () => {
    const { path } = await listen([hello], { maxConnections: 1 });
    const idle = await dial(path);
    idle.write('GET /hello HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => idle.once('data', resolve));
    const ended = rest(idle);
    expect((await ask(path, '/hello')).status).toBe(200);
    await ended;
  });

  it('answers all requests of a client that sends them in one piece and then no more', async () => {
    const { path } = await listen([hello]);
    const socket = await dial(path);
    socket.end('GET /hello HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(30));
    expect((await rest(socket)).match(/HTTP\/1\.1 200 /g)).toHaveLength(30);
  });

  it('ends half-open connections, and answers what is not HTTP with a bare status', async () => {
    const { path } = await listen([hello], { headersMs: 300 });
    const half = await dial(path);
    half.write('GET /hello HTTP/1.1\r\nHo');
    expect(await rest(half)).toMatch(/^HTTP\/1.1 408 /);
    const noise = await dial(path);
    noise.write('\0\0canary\r\n\r\n');
    expect(await rest(noise)).toBe('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    const long = await dial(path);
    long.write(`GET /hello HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(await rest(long)).toMatch(/^HTTP\/1.1 431 /);
  });

  it('answers a client that ends its side of the connection with its request', async () => {
    const { path } = await listen([hello]);
    const socket = await dial(path);
    socket.end('GET /hello HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await rest(socket)).toMatch(/^HTTP\/1.1 200 [\s\S]*hello$/);
  });

  it('answers a request before what follows it and is not HTTP, though both came together', async () => {
    const { path } = await listen([hello]);
    const socket = await dial(path);
    socket.write('GET /hello HTTP/1.1\r\nHost: x\r\n\r\n\0\0canary\r\n\r\n');
    expect(await rest(socket)).toMatch(/^HTTP\/1.1 200 [\s\S]*helloHTTP\/1.1 400 Bad Request\r\n/);
  });

  it('counts its answers by status, refusals included', async () => {
    const { path, listener } = await listen([hello, well], { maxConnections: 1, silentMs: 60_000 });
    const taken = await dial(path);
    for (const asked of ['/hello', '/livez', '/none']) await ask(path, asked);
    taken.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await ask(path, '/hello', 'HEAD');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([...listener.answered].sort()).toEqual([
      [200, 2],
      [429, 2],
    ]);
  });

  it('exchanges its service without closing connections', async () => {
    const { path, listener } = await listen([hello]);
    const socket = await dial(path);
    const answer = () => new Promise((resolve) => socket.once('data', (chunk) => resolve(chunk.toString())));
    socket.write('GET /hello HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await answer()).toContain('hello');
    listener.use(createService([{ ...hello, handle: () => ({ status: 200, type: 'text/plain', body: 'other' }) }]));
    socket.write('GET /hello HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await answer()).toContain('other');
  });
});

describe('a route table', () => {
  const echo = {
    method: 'GET',
    path: '/v1/:name/:field',
    handle: ({ params }: { params: object }) => ({ status: 200, type: 'text/plain', body: JSON.stringify(params) }),
  } as const;
  const take = {
    method: 'POST',
    path: '/take',
    maxBodyBytes: 4,
    handle: ({ body }: { body: Uint8Array }) => ({ status: 200, type: 'text/plain', body: `${body.length}` }),
  } as const;
  const fail = {
    ...hello,
    path: '/fail',
    handle: async () => {
      throw new Error('canary');
    },
  } as const;

  it.each([
    ['/v1/app/a', 200, '{"name":"app","field":"a"}'],
    ['/v1/app/a%2Fb', 200, '{"name":"app","field":"a/b"}'],
    ['/v1/app/..', 200, '{"name":"app","field":".."}'],
    ['/v1/app/a%00?x=1', 200, '{"name":"app","field":"a\\u0000"}'],
    ['/v1/app/%zz', 400, 'API_MALFORMED'],
    ['/v1//a', 404, 'API_NO_ROUTE'],
    ['/v1/app/', 404, 'API_NO_ROUTE'],
    ['/v1/app/../../fail', 404, 'API_NO_ROUTE'],
    ['/fail', 500, 'INTERNAL'],
  ])('compares paths as they came: %s', async (path, status, body) => {
    const { path: socket } = await listen([echo, take, fail]);
    const got = await ask(socket, path);
    expect(got.status).toBe(status);
    expect(got.body).toContain(body);
    expect(got.body).not.toContain('canary');
    expect(got.headers['cache-control']).toBe('no-store');
  });

  it('answers 405 with Allow, HEAD without a body, and 413 to bodies that are too long or not taken', async () => {
    const { path } = await listen([echo, take, hello]);
    const wrong = await ask(path, '/hello', 'POST');
    expect([wrong.status, wrong.headers['allow']]).toEqual([405, 'GET']);
    const head = await ask(path, '/hello', 'HEAD');
    expect([head.status, head.headers['content-length'], head.body]).toEqual([200, '5', '']);
    expect((await ask(path, '/take', 'POST', '1234')).body).toBe('4');
    expect((await ask(path, '/take', 'POST', '12345')).status).toBe(413);
    expect((await ask(path, '/hello', 'GET', 'x', { 'Content-Length': '1' })).status).toBe(413);
    const chunked = await ask(path, '/take', 'POST', '12345', { 'Transfer-Encoding': 'chunked' });
    expect(chunked.status).toBe(413);
  });
});
