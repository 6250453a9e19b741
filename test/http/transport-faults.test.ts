import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { plainText } from '../../src/base/value.ts';
import { drip, flood, halfBody, hang, reply, reset, startFaultServer } from '../faults/fault-server.ts';
import { connect, never, serve } from './client.helpers.ts';

const good = reply(200, '{"data":{"a":"b"}}');

describe('a broken answer', () => {
  it('that ends in the middle is BACKEND_UNREACHABLE', async () => {
    const { failing } = connect((await serve(halfBody)).address);
    expect(await failing('x')).toMatchObject({
      code: 'BACKEND_UNREACHABLE',
      seen: expect.stringContaining('the connection was closed in the middle of an answer from http://127.0.0.1:'),
    });
  });

  it.each([
    ['a web page', reply(200, '<html>sign in</html>', { 'Content-Type': 'text/html' }), 'is a web page'],
    ['JSON cut short', reply(200, '{"data":{"value":"cana'), 'is not a JSON object'],
    ['a JSON list', reply(200, '["canary"]'), 'is not a JSON object'],
    ['bytes that are not UTF-8', reply(200, Buffer.from([0x7b, 0xff, 0x7d])), 'is not a JSON object'],
    ['a NUL in a string', reply(200, '{"data":"canary\0"}'), 'is not a JSON object'],
    ['a compressed body', reply(200, 'zzz', { 'Content-Encoding': 'gzip' }), 'is compressed, which was not asked for'],
  ])('with %s is BACKEND_MALFORMED and quotes nothing', async (_, answerer, says) => {
    const { failing, facts } = connect((await serve(answerer)).address);
    const failed = await failing('x');
    expect(failed).toMatchObject({ code: 'BACKEND_MALFORMED', seen: expect.stringContaining(says) });
    expect(JSON.stringify([failed, facts])).not.toContain('cana');
  });

  it('that is not HTTP is BACKEND_MALFORMED', async () => {
    const { failing } = connect((await serve((_, socket) => socket.end('SSH-2.0-x\r\n\r\n'))).address);
    expect(await failing('x')).toMatchObject({ code: 'BACKEND_MALFORMED', hint: expect.stringContaining('https://') });
  });

  it('without a body has no fields', async () => {
    const { ask } = connect((await serve(reply(200))).address);
    expect((await ask('x')).body.size).toBe(0);
  });

  it('with a status and a web page is what the status says', async () => {
    const { failing } = connect((await serve(reply(502, '<html>', { 'Content-Type': 'text/html' }))).address);
    expect(await failing('x')).toMatchObject({ code: 'BACKEND_UNAVAILABLE' });
  });

  it.each([
    ['said beforehand', reply(200, '', { 'Content-Length': 17 * 1024 * 1024 })],
    ['found while reading', flood(17 * 1024 * 1024)],
  ])('above 16 MiB, %s, is BACKEND_TOO_LARGE', async (_, answerer) => {
    const { failing } = connect((await serve(answerer)).address);
    expect(await failing('x')).toMatchObject({ code: 'BACKEND_TOO_LARGE' });
  });

  it('of 15 MiB is accepted', async () => {
    const long = 'ä'.repeat(7.5 * 1024 * 1024);
    const server = await serve(reply(200, JSON.stringify({ long })));
    expect(plainText((await connect(server.address).ask('x')).body.get('long')) === long).toBe(true);
  });

  it('without an end costs little more memory than the part that is read', async () => {
    const { address } = await serve(flood(Number.POSITIVE_INFINITY));
    const { stdout } = await promisify(execFile)(process.execPath, [
      `${import.meta.dirname}/endless.helpers.ts`,
      address,
    ]);
    const { code, grownMiB } = JSON.parse(stdout) as { code: string; grownMiB: number };
    expect(code).toBe('BACKEND_TOO_LARGE');
    expect(grownMiB).toBeLessThan(64);
  });
});

describe('the deadline', () => {
  it('ends a call that gets no answer', async () => {
    const { failing, facts } = connect((await serve(hang)).address, { timeoutMs: 80 });
    expect(await failing('x')).toMatchObject({
      code: 'BACKEND_TIMEOUT',
      seen: expect.stringContaining('no whole answer within 80 ms from http://127.0.0.1:'),
    });
    expect(facts).toMatchObject([{ kind: 'backend-failed', call: 'GET x', failure: { code: 'BACKEND_TIMEOUT' } }]);
  });

  it('counts in total: a body that drips does not extend it', async () => {
    const { failing } = connect((await serve(drip)).address, { timeoutMs: 150 });
    expect(await failing('x')).toMatchObject({ code: 'BACKEND_TIMEOUT' });
  });

  it('does not run while a call waits for one of the connections', async () => {
    const server = await serve((request, socket) => void setTimeout(() => good(request, socket), 40));
    const { ask } = connect(server.address, { timeoutMs: 300 });
    const answers = await Promise.all(Array.from({ length: 320 }, (_, i) => ask(`secret/${i}`)));
    expect(answers).toHaveLength(320);
    expect(server.connections()).toBe(16);
  });
});

describe('cancelling', () => {
  it('ends calls under way and calls that wait, without a fact', async () => {
    const server = await serve(hang);
    const { failing, facts } = connect(server.address);
    const abort = new AbortController();
    const calls = Array.from({ length: 40 }, (_, i) => failing(`secret/${i}`, {}, abort.signal));
    while (server.requests.length < 16) await new Promise((resolve) => setTimeout(resolve, 5));
    abort.abort();
    expect(new Set((await Promise.all(calls)).map(({ code }) => code))).toEqual(new Set(['CANCELLED']));
    expect(facts).toEqual([]);
    expect(server.requests).toHaveLength(16);
  });

  it('before the call sends nothing', async () => {
    const server = await serve(good);
    expect(await connect(server.address).failing('x', {}, AbortSignal.abort())).toMatchObject({ code: 'CANCELLED' });
    expect(server.connections()).toBe(0);
  });

  it('frees the slots for others', async () => {
    const server = await serve(hang);
    const { failing, ask } = connect(server.address);
    const abort = new AbortController();
    const calls = Array.from({ length: 16 }, () => failing('x', {}, abort.signal));
    while (server.requests.length < 16) await new Promise((resolve) => setTimeout(resolve, 5));
    abort.abort();
    await Promise.all(calls);
    server.answer(good);
    expect((await ask('x')).status).toBe(200);
  });

  it('happens to all calls when the client is disposed of, and closes every connection', async () => {
    const server = await serve(good);
    const { client, ask, failing } = connect(server.address);
    await ask('warm');
    server.answer(hang);
    const call = failing('x');
    while (server.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    await client[Symbol.asyncDispose]();
    expect(await call).toMatchObject({ code: 'CANCELLED' });
    expect(await failing('y')).toMatchObject({ code: 'CANCELLED' });
    while (server.open() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  });
});

describe('a kept-alive connection', () => {
  it('is used again', async () => {
    const server = await serve(good);
    const { ask } = connect(server.address);
    for (let i = 0; i < 5; i++) await ask('x');
    expect(server.connections()).toBe(1);
  });

  it('that was reset before any answer leads to one more try, over a new one', async () => {
    const server = await serve((request, socket) => (request.nth === 2 ? reset : good)(request, socket));
    const { ask } = connect(server.address);
    await ask('warm');
    expect((await ask('database/creds/shop', { idempotent: false })).status).toBe(200);
    expect(server.requests.map(({ connection, nth }) => [connection, nth])).toEqual([
      [1, 1],
      [1, 2],
      [2, 1],
    ]);
  });

  it('that is reset twice is tried twice, not more', async () => {
    const server = await serve(good);
    const { ask, failing } = connect(server.address);
    await ask('warm');
    server.answer(reset);
    expect(await failing('x')).toMatchObject({ code: 'BACKEND_UNREACHABLE' });
    expect(server.requests).toHaveLength(3);
  });

  it('that was reset after the first byte of an answer leads to no other try', async () => {
    const server = await serve(good);
    const { ask, failing } = connect(server.address);
    await ask('warm');
    server.answer((_, socket) => socket.write('HTTP/1.1', () => socket.end()));
    expect(await failing('database/creds/shop', { idempotent: false })).toMatchObject({ retry: 'backoff' });
    expect(server.requests).toHaveLength(2);
  });

  it('is closed after ten minutes, whatever its use', async () => {
    let now = 0;
    const clock = { wallMs: () => now, monoMs: () => now, sleep: async () => {}, after: () => () => {} };
    const server = await serve(good);
    const { ask } = connect(server.address, {}, { clock });
    await ask('x');
    now = 599_000;
    await ask('x');
    expect(server.connections()).toBe(1);
    now = 601_000;
    await ask('x');
    await ask('x');
    expect(server.connections()).toBe(2);
  });
});

it('a reset of a new connection is not tried again', async () => {
  const server = await serve(reset);
  expect(await connect(server.address).failing('x')).toMatchObject({ code: 'BACKEND_UNREACHABLE' });
  expect(server.requests).toHaveLength(1);
});

it('a login goes before fetches that wait', async () => {
  const server = await serve((request, socket) => void setTimeout(() => good(request, socket), 20));
  const { ask } = connect(server.address);
  const fetches = Array.from({ length: 64 }, (_, i) => ask(`secret/${i}`));
  const login = ask('auth/token/renew-self', { method: 'POST' });
  await Promise.all([...fetches, login]);
  expect(server.requests.findIndex(({ path }) => path.includes('renew-self'))).toBe(16);
});

describe('no connection', () => {
  it('fails with the address and the reason', async () => {
    const server = await startFaultServer(good);
    await server[Symbol.asyncDispose]();
    expect(await connect(server.address).failing('x')).toMatchObject({
      code: 'BACKEND_UNREACHABLE',
      seen: `connection refused at ${server.address}`,
      place: 'secrets.x',
    });
  });

  it('to a name without an address fails with that reason', async () => {
    const failed = await connect('http://vault.invalid:8200').failing('x');
    expect(failed.seen).toMatch(
      /^the (?:host name has no address|name server did not answer) at http:\/\/vault\.invalid:8200$/,
    );
  });

  it('to a socket that is not there fails with its path', async () => {
    expect(await connect('unix:///nowhere/bao.sock').failing('x')).toMatchObject({
      code: 'BACKEND_UNREACHABLE',
      seen: 'there is no socket at unix:///nowhere/bao.sock',
    });
  });
});

it('a unix socket works as an address', async () => {
  const server = await serve(good, { unix: true });
  const { ask, client } = connect(server.address);
  expect((await ask('x')).status).toBe(200);
  expect(client.address).toBe(server.address);
  await ask('y');
  expect(server.connections()).toBe(1);
});

it('an address with credentials and a path keeps the path and shows no credentials', async () => {
  const server = await serve(good);
  const { ask, client } = connect(`http://user:pw@127.0.0.1:${server.port}/vault/`);
  await ask('x');
  expect(server.requests[0]?.path).toBe('/vault/v1/x');
  expect(client.address).toBe(`http://127.0.0.1:${server.port}/vault`);
  expect(never.aborted).toBe(false);
});
