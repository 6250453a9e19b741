import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { listenAt, portOf } from '../../../src/http/serving/listen.ts';
import { BodyLimit, type BodyOptions, readBody } from '../../../src/http/serving/read-body.ts';

const releases: (() => void)[] = [];
afterEach(() => {
  for (const release of releases.splice(0)) release();
});

/** A server, and what each request to it is, in order. */
async function serve() {
  const asked: IncomingMessage[] = [];
  const server = createServer((request) => void asked.push(request));
  await listenAt(server, { host: '127.0.0.1', port: 0 }, 'test', 'the test');
  releases.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const send = async (text: string): Promise<{ client: Socket; request: IncomingMessage }> => {
    const client = connect(portOf(server), '127.0.0.1');
    client.on('error', () => {});
    client.write(`POST / HTTP/1.1\r\nHost: x\r\n${text}`);
    const [request] = (await once(server, 'request')) as [IncomingMessage];
    return { client, request };
  };
  return { send };
}

const chunked = (...chunks: readonly string[]) =>
  `Transfer-Encoding: chunked\r\n\r\n${chunks.map((one) => `${one.length.toString(16)}\r\n${one}\r\n`).join('')}`;

describe('a body', () => {
  it.each([
    ['with its length', 'Content-Length: 4\r\n\r\n1234', '1234'],
    ['in chunks', chunked('12', '34', ''), '1234'],
    ['that is empty', chunked(''), ''],
    ['that is not there', '\r\n', ''],
    ['that is announced too long, before any of it has come', 'Content-Length: 5\r\n\r\n', 'too large'],
    ['that becomes too long, before its end', chunked('123', '45'), 'too large'],
  ])('%s is read, or refused', async (_, sent, expected) => {
    const { send } = await serve();
    const read = await readBody((await send(sent)).request, { maxBytes: 4 });
    expect(read.toString()).toBe(expected);
    expect(typeof read === 'string').toBe(expected === 'too large');
  });

  it('that is too long leaves the connection open for the answer', async () => {
    const { send } = await serve();
    const { client, request } = await send(chunked('12345'));
    await readBody(request, { maxBytes: 4 });
    expect(request.destroyed).toBe(false);
    const answered = once(client, 'data');
    request.socket.write('answer');
    expect(String((await answered)[0])).toBe('answer');
  });

  it('whose client leaves is cut off, also when it left before it was read', async () => {
    const { send } = await serve();
    const { client, request } = await send('Content-Length: 4\r\n\r\n12');
    const read = readBody(request, { maxBytes: 4 });
    client.destroy();
    expect(await read).toBe('cut off');
    const early = await send('Content-Length: 4\r\n\r\n12');
    early.client.destroy();
    await new Promise((resolve) => early.request.once('close', resolve));
    expect(await readBody(early.request, { maxBytes: 4 })).toBe('cut off');
  });

  it('waits for no other, but is refused while others take all room', async () => {
    const { send } = await serve();
    const options: BodyOptions = { maxBytes: 4, all: new BodyLimit(6) };
    const first = await send(chunked('123'));
    const read = readBody(first.request, options);
    await once(first.request, 'data');
    const second = await send(chunked('1234', ''));
    expect(await readBody(second.request, options)).toBe('too many at once');
    first.client.write('0\r\n\r\n');
    expect(String(await read)).toBe('123');
    const third = await send(chunked('1234', ''));
    expect(String(await readBody(third.request, options))).toBe('1234');
  });

  it('that is refused or cut off gives its room back', async () => {
    const { send } = await serve();
    const options: BodyOptions = { maxBytes: 4, all: new BodyLimit(4) };
    for (const end of ['leaves', 'is too long']) {
      const { client, request } = await send(chunked('123'));
      const read = readBody(request, options);
      await once(request, 'data');
      if (end === 'leaves') client.destroy();
      else client.write('2\r\n45\r\n');
      expect(typeof (await read)).toBe('string');
    }
    expect(String(await readBody((await send(chunked('1234', ''))).request, options))).toBe('1234');
  });
});
