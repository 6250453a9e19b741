import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HttpListener } from '../../../src/deliver/http/listener.ts';
import { dial, place, rest } from './listener.helpers.ts';

/** Answers with the method and the body of the request. */
async function echo(): Promise<string> {
  const path = `${place()}/s`;
  const service = {
    handle(request: IncomingMessage, response: ServerResponse) {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => response.end(`[${request.method} ${request.url} ${body}]`));
    },
    async [Symbol.asyncDispose]() {},
  };
  const where = { kind: 'unix', path, mode: 0o600 } as const;
  const listener = await HttpListener.open({ where, place: 'proxy' }, service, { extraMethods: ['LIST', 'SCAN'] });
  onTestFinished(() => listener[Symbol.asyncDispose]());
  return path;
}

/** Sends the pieces one by one, each after the one before has had time to arrive, and reads the answer to its end. */
async function say(path: string, ...pieces: readonly string[]): Promise<string> {
  const socket = await dial(path);
  const all = rest(socket);
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
  socket.end();
  const text = await all;
  return [...text.matchAll(/\[.*?\]/gs)].join('');
}

describe('methods that Node does not know', () => {
  it('reach the service by their own name, on one connection with others', async () => {
    const path = await echo();
    const get = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n';
    const list = 'LIST /b HTTP/1.1\r\nHost: x\r\n\r\n';
    const scan = 'SCAN /c HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi';
    expect(await say(path, get, list, get, scan, list)).toBe('[GET /a ][LIST /b ][GET /a ][SCAN /c hi][LIST /b ]');
  });

  it('may arrive in pieces of any size', async () => {
    const path = await echo();
    expect(await say(path, 'L', 'IST /', 'b HTTP/1.1\r\nHo', 'st: x\r\n\r', '\n')).toBe('[LIST /b ]');
    expect(await say(path, 'LI', 'NK /b HTTP/1.1\r\nHost: x\r\n\r\n')).toBe('[LINK /b ]');
  });

  it('are replaced only at the beginning of requests', async () => {
    const path = await echo();
    const head = 'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n';
    expect(await say(path, head, 'LIST /', 'LIST')).toBe('[POST /a LIST /LIST]');
    expect(await say(path, 'POST /a HTTP/1.1\r\nHost: x\r\nX: ', 'LIST \r\n\r\n')).toBe('[POST /a ]');
  });

  it('that are not listed are refused as before', async () => {
    const path = await echo();
    const socket = await dial(path);
    const all = rest(socket);
    socket.write('LOST /b HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await all).toMatch(/^HTTP\/1.1 400 /);
  });
});
