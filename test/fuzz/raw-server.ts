import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import * as fc from 'fast-check';
import { damaged, nasty, value } from './inputs.ts';

/** A server that answers every request of a client with bytes as the test says, and then closes. */
export interface RawServer extends AsyncDisposable {
  readonly address: string;
  /** The answers to the requests from now on, in their order; the last one again and again. */
  answers: readonly Buffer[];
}

export async function startRawServer(): Promise<RawServer> {
  const open = new Set<Socket>();
  let count = 0;
  let answers: readonly Buffer[] = [];
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket)).on('error', () => {});
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end === -1) return;
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1] ?? 0);
      if (text.length < end + 4 + length) return;
      text = '';
      socket.end(answers[Math.min(count++, answers.length - 1)] ?? Buffer.alloc(0));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get answers() {
      return answers;
    },
    set answers(next) {
      answers = next;
      count = 0;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

const STATUSES = [
  200, 200, 200, 200, 200, 201, 202, 204, 206, 301, 307, 400, 401, 403, 404, 405, 412, 429, 472, 500, 503,
];

/** One HTTP answer with a body, sometimes damaged. */
export function httpAnswer(
  body: fc.Arbitrary<unknown>,
  headers: readonly string[] = [],
  status: fc.Arbitrary<number> = fc.constantFrom(...STATUSES),
): fc.Arbitrary<Buffer> {
  const header = fc.oneof(
    fc.constantFrom(
      'Content-Type: application/json',
      'Content-Type: text/html',
      'Retry-After: 1',
      'Retry-After: -1',
      'Retry-After: x',
      'Age: 3',
      'Age: 99999999999',
      'Content-Encoding: gzip',
      'Date: nonsense',
      ...headers,
    ),
    fc
      .tuple(fc.constantFrom('Location', 'Retry-After', 'Content-Type', 'X'), value)
      .map(([name, text]) => `${name}: ${text}`),
  );
  const framing = fc.constantFrom('length', 'length', 'length', 'length', 'chunked', 'none', 'wrong', 'huge');
  const bodies = fc.oneof(
    { weight: 6, arbitrary: body.map((one) => Buffer.from(JSON.stringify(one) ?? '')) },
    { weight: 2, arbitrary: damaged(body.map((one) => JSON.stringify(one) ?? '')) },
    { weight: 1, arbitrary: fc.tuple(nasty, value).map(([a, b]) => Buffer.from(`${a}${b}`)) },
  );
  const whole = fc
    .tuple(status, fc.array(header, { maxLength: 3 }), framing, bodies)
    .map(([code, lines, how, bytes]) => {
      const size = { length: bytes.length, wrong: bytes.length + 7, huge: 9_999_999_999, chunked: 0, none: 0 }[how];
      const frame =
        how === 'none' ? [] : [how === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${size}`];
      const clean = lines.map((line) => line.replace(/[^\x20-\x7e]/g, ''));
      const head = `HTTP/1.1 ${code} Reason\r\n${[...clean, ...frame, 'Connection: close'].join('\r\n')}\r\n\r\n`;
      const chunks = how === 'chunked' ? [`${bytes.length.toString(16)}\r\n`, bytes, '\r\n0\r\n\r\n'] : [bytes];
      return Buffer.concat([Buffer.from(head), ...chunks.map((one) => Buffer.from(one as string))]);
    });
  return fc.oneof({ weight: 8, arbitrary: whole }, { weight: 1, arbitrary: damaged(whole) });
}
