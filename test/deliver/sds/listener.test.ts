import { once } from 'node:events';
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Metadata } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PollServer } from '../../../src/deliver/sds/poll.ts';
import { listenAt, portOf } from '../../../src/http/serving/listen.ts';
import { findFreePort } from '../../servers/index.ts';
import { eventually } from '../../system/agent.helpers.ts';
import { configOf, createClient, generic, genericText, setUp, setUpHub } from './sds.helpers.ts';

const one = (more = {}) => configOf({ a: generic('app', 'a') }, more);

interface Polled {
  readonly status: number;
  readonly body: string;
}

function poll(socketPath: string, body: string, more: object = {}): Promise<Polled> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', host: 'agent' };
    const sent = request(
      { socketPath, method: 'POST', path: '/v3/discovery:secrets', headers, agent: false, ...more },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });
}

describe('the socket of sds', () => {
  it('is private, and gone after the end', async () => {
    const { path, listener } = await setUp(one());
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await listener[Symbol.asyncDispose]();
    expect(existsSync(path)).toBe(false);
  });

  it('is made again when somebody removed it, and open streams go on', async () => {
    const { path, client, secrets, clock, listener } = await setUp(one());
    secrets.set('app', { a: '1' });
    const stream = client().sotw();
    stream.ask({ names: ['a'] });
    const { version, nonce } = await stream.next();
    stream.ask({ names: ['a'], version, nonce });
    rmSync(path);
    await eventually(async () => {
      await clock.advance(1_000);
      expect(await listener.isInPlace()).toBe(true);
    });
    secrets.set('app', { a: '2' });
    expect(genericText((await stream.next()).secrets.get('a'))).toBe('2');
    expect(genericText((await createClient(`unix:${path}`).fetch({ names: ['a'] })).secrets.get('a'))).toBe('2');
  });

  it('leaves the socket of another live process alone, says so once, and is back when that has ended', async () => {
    const { path, clock, listener, factsOf } = await setUp(one());
    rmSync(path);
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(path, resolve));
    await clock.advance(5_000);
    await eventually(async () => {
      await clock.advance(1_000);
      expect(factsOf('agent-warning').map(({ warning }) => warning.code)).toEqual(['LISTEN_IN_USE']);
    });
    for (let times = 0; times < 3; times++) {
      await clock.advance(2_000);
      await pause(20);
    }
    expect(factsOf('agent-warning').length).toBe(1);
    expect(await listener.isInPlace()).toBe(false);
    await new Promise<void>((resolve) => other.close(() => resolve()));
    await eventually(async () => {
      await clock.advance(1_000);
      expect(await listener.isInPlace()).toBe(true);
    });
  });

  it('takes 200 streams on one connection, each with a name of its own', async () => {
    const names = Array.from({ length: 200 }, (_, i) => `n${i}`);
    const config = configOf(Object.fromEntries(names.map((name) => [name, generic(name, 'v')])), { maxStreams: 200 });
    const { client, secrets, listener, hub } = await setUp(config);
    const own = client();
    const streams = names.map((name) => {
      const stream = own.sotw();
      stream.ask({ names: [name] });
      return { name, stream };
    });
    for (const name of names) secrets.set(name, { v: name });
    for (const { name, stream } of streams) expect(genericText((await stream.next()).secrets.get(name))).toBe(name);
    expect([listener.connections, hub.streams]).toEqual([1, 200]);
    const further = own.sotw();
    expect(await further.ended).toMatchObject({ code: 8 });
    for (const { stream } of streams) stream.cancel();
    await eventually(() => expect(hub.streams).toBe(0));
    const again = own.sotw();
    again.ask({ names: ['n7'] });
    expect((await again.next()).secrets.size).toBe(1);
  });

  it('answers others while a client opens 1,000 streams, and warns once', async () => {
    const { client, secrets, factsOf, hub } = await setUp(one({ maxStreams: 50 }));
    secrets.set('app', { a: '1' });
    const greedy = client();
    const streams = Array.from({ length: 1_000 }, () => {
      const stream = greedy.delta();
      stream.ask({ subscribe: ['a'] }); // and never acknowledges
      return stream;
    });
    const ended = await Promise.all(streams.slice(50).map((stream) => stream.ended));
    expect(new Set(ended.map(({ code }) => code))).toEqual(new Set([8]));
    expect(hub.streams).toBe(50);
    expect((await client().fetch({ names: ['a'] })).secrets.size).toBe(1);
    expect(factsOf('agent-warning').map(({ warning }) => warning.code)).toEqual(['SDS_BUSY']);
  });

  it('sends a client that never acknowledges one answer and no more', async () => {
    const { client, secrets, factsOf } = await setUp(one());
    const own = client();
    const stream = own.sotw();
    stream.ask({ names: ['a'] });
    secrets.set('app', { a: 'first' });
    await stream.next();
    for (let i = 0; i < 1_000; i++) secrets.set('app', { a: String(i) });
    expect(await stream.isQuiet(own)).toBe(true);
    expect(factsOf('sds-sent').filter(({ how }) => how === 'sotw').length).toBe(1);
  });

  it('ends the stream of a client that sends garbage, and answers others', async () => {
    const { client, secrets } = await setUp(one());
    secrets.set('app', { a: '1' });
    const own = client();
    for (const bytes of [Buffer.from('garbage!'), Buffer.from([0x0a, 0xff]), Buffer.alloc(12, 0xff)]) {
      const stream = own.delta();
      stream.garbage(bytes);
      expect((await stream.ended).code).not.toBe(0);
    }
    expect((await own.fetch({ names: ['a'] })).secrets.size).toBe(1);
  });

  it('ends a stream with a name that is too long, or with too many', async () => {
    const { client } = await setUp(one());
    const own = client();
    const long = own.sotw();
    long.ask({ names: ['x'.repeat(513)] });
    expect(await long.ended).toMatchObject({ code: 3 });
    const many = own.delta();
    many.ask({ subscribe: Array.from({ length: 20_001 }, (_, i) => `n${i}`) });
    expect(await many.ended).toMatchObject({ code: 8 });
  });

  it.each([
    ['bytes that are no protocol', 'PRI nonsense\r\n\r\n'],
    ['a request of HTTP/1 to another path', 'GET /v1/secrets HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
    ['nothing but an end', ''],
  ])('outlives %s', async (_, bytes) => {
    const { path, client, secrets } = await setUp(one());
    secrets.set('app', { a: '1' });
    const socket = connect(path);
    socket.on('error', () => {});
    socket.end(bytes);
    await new Promise((resolve) => socket.once('close', resolve).resume());
    expect((await client().fetch({ names: ['a'] })).secrets.size).toBe(1);
  });

  it('keeps its streams under a new configuration, and has its limits', async () => {
    const { client, secrets, apply, hub } = await setUp(one());
    secrets.set('app', { a: '1' });
    const own = client();
    const stream = own.sotw();
    stream.ask({ names: ['a'] });
    const { version, nonce } = await stream.next();
    stream.ask({ names: ['a'], version, nonce });
    await apply(one({ maxStreams: 1 }));
    secrets.set('app', { a: '2' });
    expect((await stream.next()).secrets.size).toBe(1);
    expect(hub.streams).toBe(1);
    expect(await own.sotw().ended).toMatchObject({ code: 8 });
  });
});

describe('a listener with a token', () => {
  it('answers those who carry it', async () => {
    const port = await findFreePort();
    const { client, secrets, dir } = await setUp(one(), {
      where: { kind: 'tcp', host: '127.0.0.1', port },
      tokenFile: '/nonexistent/token',
    });
    secrets.set('app', { a: '1' });
    expect(dir).not.toBe('');
    await expect(client().fetch({ names: ['a'] })).rejects.toMatchObject({ code: 7 });
    const metadata = new Metadata();
    metadata.set('x-pannier-token', 'guessed');
    await expect(client().fetch({ names: ['a'] }, metadata)).rejects.toMatchObject({ code: 14 });
  });

  it('refuses a wrong token and a missing one, over streams too', async () => {
    const port = await findFreePort();
    const file = join(process.env['TMPDIR'] ?? '/tmp', `pannier-sds-token-${process.pid}`);
    writeFileSync(file, 'right-token-0123456789\n', { mode: 0o600 });
    onTestFinished(() => rmSync(file));
    const where = { kind: 'tcp', host: '127.0.0.1', port } as const;
    const { client, secrets } = await setUp(one(), { where, tokenFile: file });
    secrets.set('app', { a: '1' });
    const own = client();
    const withToken = (token: string) => {
      const metadata = new Metadata();
      metadata.set('x-pannier-token', token);
      return metadata;
    };
    expect(await own.delta().ended).toMatchObject({ code: 7 });
    expect(await own.sotw(withToken('wrong-token-0123456789')).ended).toMatchObject({ code: 7 });
    const stream = own.delta(withToken('right-token-0123456789'));
    stream.ask({ subscribe: ['a'] });
    expect((await stream.next()).secrets.size).toBe(1);
  });
});

describe('POST /v3/discovery:secrets', () => {
  const ask = JSON.stringify({ resource_names: ['a'], node: { id: 'n' } });

  it('answers as JSON', async () => {
    const { path, secrets } = await setUp(one());
    secrets.set('app', { a: 'v' });
    const { status, body } = await poll(path, ask);
    expect([status, JSON.parse(body)]).toMatchObject([
      200,
      {
        typeUrl: expect.stringMatching(/v3\.Secret$/),
        resources: [{ name: 'a', genericSecret: { secret: { inlineBytes: Buffer.from('v').toString('base64') } } }],
      },
    ]);
  });

  it.each<[string, string, object, number]>([
    ['no JSON', '{', {}, 400],
    ['a list', '[]', {}, 400],
    ['names that are no texts', '{"resource_names":[1]}', {}, 400],
    ['another type', '{"type_url":"type.googleapis.com/x"}', {}, 400],
    ['a type that a web page can send', ask, { headers: { 'content-type': 'text/plain' } }, 415],
    ['another method', '', { method: 'GET' }, 405],
    ['another path', ask, { path: '/v3/discovery:clusters' }, 404],
    ['a megabyte', `{"x":"${'x'.repeat(2 ** 20)}"}`, {}, 413],
  ])('refuses %s', async (_, body, more, status) => {
    const { path } = await setUp(one());
    const answered = await poll(path, body, more).catch(() => ({ status: 413 }));
    expect(answered.status).toBe(status);
  });

  it.each([
    ['its head', 'POST /v3/discovery:secrets HTTP/1.1\r\nHost: agent\r\n'],
    [
      'its body',
      'POST /v3/discovery:secrets HTTP/1.1\r\nHost: agent\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
    ],
  ])('a client that does not end %s is answered 408', async (_, sent) => {
    using polls = new PollServer(setUpHub().hub, async () => undefined, { headersMs: 100, requestMs: 100 });
    const server = createServer((socket) => polls.take(socket));
    await listenAt(server, { host: '127.0.0.1', port: 0 }, 'test', 'the test');
    onTestFinished(() => void server.close());
    const socket = connect(portOf(server), '127.0.0.1');
    socket.write(sent);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 408 /);
    await once(socket, 'close');
  });

  it.each([
    ['announces', `Content-Length: ${2 ** 20 + 1}\r\n\r\n`],
    ['sends', `Transfer-Encoding: chunked\r\n\r\n100001\r\n${'x'.repeat(2 ** 20 + 1)}`],
  ])('a client that %s too much gets the answer that says so', async (_, sent) => {
    const { path } = await setUp(one());
    const socket = connect({ path });
    const head = 'POST /v3/discovery:secrets HTTP/1.1\r\nHost: agent\r\nContent-Type: application/json\r\n';
    socket.write(head + sent);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 [\s\S]*the request is too large/);
    socket.destroy();
  });
});
