import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { dial, listen, rest } from './listener.helpers.ts';

const hello = {
  method: 'GET',
  path: '/hello',
  handle: () => ({ status: 200, type: 'text/plain', body: 'hello' }),
} as const;
const take = { ...hello, method: 'POST', path: '/take', maxBodyBytes: 1_000 } as const;

const HELLO = 'GET /hello HTTP/1.1\r\nHost: x\r\n\r\n';
const TIMED_OUT = /^HTTP\/1.1 408 /;

describe('a client that sends too slowly', () => {
  it('is answered 408 when the head of a later request does not end, however often a byte of it comes', async () => {
    const { path } = await listen([hello], { headersMs: 200 });
    const socket = await asked(path);
    await pause(300);
    const dripping = setInterval(() => socket.write('x'), 20);
    socket.write('GET /hello HTTP/1.1\r\nHost: ');
    expect(await rest(socket)).toMatch(TIMED_OUT);
    clearInterval(dripping);
  });

  it('is answered 408 when a body does not end', async () => {
    const { path } = await listen([take], { headersMs: 100, requestMs: 300 });
    const socket = await dial(path);
    socket.write('POST /take HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf');
    expect(await rest(socket)).toMatch(TIMED_OUT);
  });

  it('may rest between two requests for longer than a head may take', async () => {
    const { path } = await listen([hello], { headersMs: 100 });
    const socket = await asked(path);
    await pause(500);
    expect(await answer(socket, HELLO)).toMatch(/^HTTP\/1.1 200 /);
  });

  it('may wait for its answer for longer than a head may take', async () => {
    const slow = { ...hello, handle: () => pause(500).then(() => hello.handle()) };
    const { path } = await listen([slow], { headersMs: 100, requestMs: 100 });
    expect(await answer(await dial(path), HELLO)).toMatch(/^HTTP\/1.1 200 /);
  });
});

/** A connection whose first request is answered. */
async function asked(path: string): Promise<Socket> {
  const socket = await dial(path);
  expect(await answer(socket, HELLO)).toMatch(/^HTTP\/1.1 200 /);
  return socket;
}

function answer(socket: Socket, request: string): Promise<string> {
  const first = new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(chunk.toString())));
  socket.write(request);
  return first;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
