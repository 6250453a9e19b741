import type { IncomingMessage } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { CallCancellation } from '../../src/http/call-cancellation.ts';
import { type ForwardedAnswer, type ForwardedRequest, Forwarder } from '../../src/http/forwarder.ts';
import { PlainAnswer } from '../../src/http/plain-answer.ts';

const PLAIN = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

type Answerer = (socket: Socket, head: string) => void;
interface Sent {
  /** Of the connection, in the order of opening. */
  readonly connection: number;
  readonly head: string;
}

/** A server that answers the first request of each connection plainly, the others with `answer`. */
async function serving(answer: Answerer, { answerMs = 5_000 } = {}) {
  const sent: Sent[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    const connection = ++connections;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    let requests = 0;
    socket.on('data', (chunk) => {
      sent.push({ connection, head: chunk.toString('latin1') });
      if (String(chunk).startsWith('HEAD ')) socket.write(PLAIN.replace('ok', ''));
      else if (++requests === 1) socket.write(PLAIN);
      else answer(socket, chunk.toString('latin1'));
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', () => listening()));
  const { port } = server.address() as { port: number };
  const tls = { skipVerify: false };
  const address = `http://127.0.0.1:${port}/base`;
  const forwarder = new Forwarder({
    ...{ address, tls, clock: systemClock, env: {}, place: 'backends.bao' },
    ...{ connectMs: 5_000, answerMs },
  });
  onTestFinished(async () => {
    await forwarder[Symbol.asyncDispose]();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const ask = async (request: Partial<ForwardedRequest> = {}, stop = new CallCancellation()) => {
    return await forwarder.send({ method: 'GET', path: '/v1/x', headers: ['X-A', 'b'], ...request }, stop);
  };
  /** Leaves one connection that is kept. */
  const warm = async () => {
    await bodyOf(await ask());
    await turn();
  };
  return { sent, sockets, ask, warm, connections: () => connections };
}

async function bodyOf(answer: ForwardedAnswer): Promise<string> {
  return answer instanceof PlainAnswer ? answer.body.toString() : await text(answer);
}

/** Lets what Node does after an answer be done. */
const turn = () => new Promise((resolve) => setTimeout(resolve, 10));

describe('a kept connection', () => {
  it.each([
    ['a length, and the end of the connection', 'Content-Length: 300000\r\n\r\n'],
    ['a length, Connection: close and the end', 'Connection: close\r\nContent-Length: 300000\r\n\r\n'],
    ['the end of the connection alone', 'Connection: close\r\n\r\n'],
  ])('gives a slow reader all of an answer with %s', async (_, headers) => {
    const { ask, warm } = await serving((socket) => socket.end(`HTTP/1.1 200 OK\r\n${headers}${'x'.repeat(300_000)}`));
    await warm();
    const answer = await ask();
    let length = 0;
    for await (const chunk of answer as IncomingMessage) {
      length += (chunk as Buffer).length;
      await turn();
    }
    expect(length).toBe(300_000);
  });

  it('takes no answer that comes before its request is sent, and sends it over another connection', async () => {
    const { ask, warm, sent, sockets } = await serving((socket, head) => {
      const body = /X-Name: (\w+)/.exec(head)?.[1] ?? '';
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    });
    await warm();
    for (const socket of sockets) socket.write('HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n');
    // The thread is busy until those bytes have come; then the request is taken up in the turn that reads them.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    const first = await ask({ method: 'POST', headers: ['X-Name', 'one'], body: Buffer.from('{}') });
    expect([first.statusCode, sent.filter(({ head }) => head.startsWith('POST')).length]).toEqual([200, 1]);
    const second = await ask({ headers: ['X-Name', 'two'] });
    expect(['ok', 'two']).toContain(await bodyOf(second)); // on a new connection it is ok
  });

  it('is used for one request after the other, each written as the first one was', async () => {
    const { sent, ask, warm } = await serving((socket) => socket.write(PLAIN));
    await warm();
    for (let i = 0; i < 3; i++) expect(await ask()).toBeInstanceOf(PlainAnswer);
    expect(sent.map(({ connection }) => connection)).toEqual([1, 1, 1, 1]);
    expect(new Set(sent.map(({ head }) => head)).size).toBe(1);
    expect(sent[0]?.head).toMatch(/^GET \/base\/v1\/x HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\nX-A: b\r\n/);
  });

  it.each([
    ['GET', undefined],
    ['LIST', undefined],
    ['DELETE', undefined],
    ['POST', undefined],
    ['PUT', Buffer.from('{"a":1}')],
    ['POST', Buffer.alloc(0)],
  ] as const)('sends %s with the body %s as the client of Node does', async (method, body) => {
    const { sent, ask } = await serving((socket) => socket.write(PLAIN));
    const request = body === undefined ? { method } : { method, body };
    await bodyOf(await ask(request));
    await turn();
    await bodyOf(await ask(request));
    // Only a length of nothing comes in another place.
    const lines = (one: Sent | undefined) => one?.head.split('\r\n').sort();
    expect(lines(sent[1])).toEqual(lines(sent[0]));
    expect(sent[1]?.connection).toBe(1);
  });

  it.each([
    ['in pieces', ['HTTP/1.1 200 OK\r\nContent-Le', 'ngth: 11\r\n\r\nhello', ' world']],
    ['in chunks', ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', '6\r\n world\r\n0\r\n\r\n']],
    [
      'after an information',
      ['HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n', PLAIN.replace('2\r\n\r\nok', '11\r\n\r\nhello world')],
    ],
  ])('takes an answer that comes %s, and goes on after it', async (_t, pieces) => {
    const { ask, warm, connections } = await serving((socket) => {
      for (const [at, piece] of pieces.entries()) setTimeout(() => socket.write(piece), at * 10);
    });
    await warm();
    const seen: number[] = [];
    for (let i = 0; i < 2; i++) {
      const answer = await ask({ onInformation: ({ statusCode }) => seen.push(statusCode) });
      expect([answer.statusCode, await bodyOf(answer)]).toEqual([200, 'hello world']);
      await turn();
    }
    expect(seen.length === 0 || seen.join() === '103,103').toBe(true);
    expect(connections()).toBe(1);
  });

  it('of requests that only the client of Node sends stays with it, for more of them', async () => {
    const { ask, connections } = await serving((socket) => socket.write(PLAIN));
    for (let i = 0; i < 3; i++) {
      expect(await bodyOf(await ask({ method: 'HEAD' }))).toBe('');
      await turn();
    }
    expect(connections()).toBe(1);
  });

  it('is not kept when the server ends it with the answer, or sends more than the answer', async () => {
    for (const answer of [
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nKeep-Alive: timeout=1\r\n\r\nok',
    ]) {
      const { ask, warm, connections } = await serving((socket) => socket.write(answer));
      await warm();
      expect(await bodyOf(await ask())).toBe('ok');
      await turn();
      expect(await bodyOf(await ask())).toBe('ok');
      expect(connections()).toBe(2);
    }
  });

  it('that brings what nobody asked for is closed', async () => {
    const { ask, warm, sockets, connections } = await serving((socket) => socket.write(PLAIN));
    await warm();
    for (const socket of sockets) socket.write(PLAIN.replace('ok', 'no'));
    await turn();
    expect(await bodyOf(await ask())).toBe('ok');
    expect(connections()).toBe(2);
  });

  it('whose answer is read to the end of the connection gives all of it', async () => {
    const { ask, warm } = await serving((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nto the end'));
    await warm();
    expect(await bodyOf(await ask())).toBe('to the end');
  });

  it('that breaks off an answer breaks off its body', async () => {
    const { ask, warm } = await serving((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'));
    await warm();
    await expect(bodyOf(await ask())).rejects.toThrow();
  });

  it('that was closed meanwhile is replaced, once', async () => {
    const { ask, warm, connections } = await serving((socket) => socket.destroy());
    await warm();
    expect(await bodyOf(await ask())).toBe('ok');
    expect(connections()).toBe(2);
  });

  it('that stays silent is given up in time, and closed when the call ends', async () => {
    const { ask, warm, sockets } = await serving(() => {}, { answerMs: 50 });
    await warm();
    await expect(ask()).rejects.toMatchObject({ failure: { code: 'BACKEND_TIMEOUT' } });
    await warm();
    const stop = new CallCancellation();
    const asked = ask({}, stop);
    await turn();
    const reason = new Error('left') as never;
    stop.stop(reason);
    await expect(asked).rejects.toBe(reason);
    await turn();
    expect(sockets.size).toBe(0);
  });

  it.each([
    ['a value', { headers: ['X', 'a\r\nY: b'] }],
    ['a value, a line alone', { headers: ['X', 'a\nY: b'] }],
    ['a value, a return alone', { headers: ['X', 'a\rY: b'] }],
    ['a name', { headers: ['X: a\r\nY', 'b'] }],
    ['a path', { path: '/v1/x HTTP/1.1\r\nY:b' }],
    ['a method', { method: 'GET /y HTTP/1.1\r\nY: b\r\n\r\nGET' }],
  ])('carries no line that was smuggled in by %s', async (_t, request) => {
    const { ask, warm, sent } = await serving((socket) => socket.write(PLAIN));
    await warm();
    await expect(ask(request)).rejects.toThrow();
    expect(sent).toHaveLength(1);
  });
});
