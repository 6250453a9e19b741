/** Answers of a server, or of something between, that is broken in one way; see `fault-server.ts` for more. */
import { gzipSync } from 'node:zlib';
import { type Answerer, reply } from './fault-server.ts';

/** Bytes that are no HTTP. */
export const garbage: Answerer = (_, socket) => {
  socket.end(Buffer.from(Array.from({ length: 400 }, (_, at) => (at * 89 + 128) % 256)));
};

/** JSON that ends in the middle, with the length that its head says. */
export const halfJson: Answerer = reply(200, '{"data":{"value":"canary-of-a-fault');

/** A page as a proxy or a portal shows it. */
export const webPage: Answerer = reply(200, '<!doctype html><title>Sign in</title><p>Please sign in.', {
  'Content-Type': 'text/html',
});

/** A refusal with `Retry-After`. */
export const retryAfter = (status: number, value: string): Answerer =>
  reply(status, '{"errors":["slow down"]}', { 'Retry-After': value });

/** A refusal as a load balancer sends it: no JSON. */
export const refusal = (status: number): Answerer =>
  reply(status, '<html><body>upstream</body></html>', { 'Content-Type': 'text/html' });

/** Sends the client round in a circle. */
export const redirectLoop: Answerer = (request, socket) => {
  const to = request.path.includes('again=1') ? request.path : `${request.path}?again=1`;
  reply(307, '', { Location: `http://${request.headers['host']}${to}` })(request, socket);
};

let bomb: Buffer | undefined;

/** A quarter of a megabyte that unpacks to a quarter of a gigabyte. */
export const gzipBomb: Answerer = (request, socket) => {
  // Members of a gzip file that follow each other are one file.
  bomb ??= Buffer.concat(Array(256).fill(gzipSync(Buffer.alloc(1024 * 1024, 0x20))));
  reply(200, bomb, { 'Content-Encoding': 'gzip' })(request, socket);
};

/** A body of chunks that never ends, as fast as the client takes it. */
export const endless: Answerer = (_, socket) => {
  const part = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(0x10000, 0x20), Buffer.from('\r\n')]);
  socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n');
  const more = () => {
    while (!socket.destroyed) if (!socket.write(part)) return void socket.once('drain', more);
  };
  more();
};
