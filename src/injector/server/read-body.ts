import type { IncomingMessage } from 'node:http';

/** The API server sends no longer review: an object has at most 1.5 MiB in etcd, and a review may have two. */
export const MAX_BODY_BYTES = 3 * 1024 * 1024;

/** All bodies that are read at one time. */
const MAX_BYTES_AT_ONCE = 24 * 1024 * 1024;

/** Counts the bytes of all bodies that are being read, so that many large ones do not fill the memory. */
export class BodyLimit {
  #bytes = 0;

  /** False: there are too many. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > MAX_BYTES_AT_ONCE) return false;
    this.#bytes += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** The whole body of a request, or why it is not taken. It never rejects. */
export function readBody(
  request: IncomingMessage,
  limit: BodyLimit,
): Promise<Buffer | 'too large' | 'too many at once' | 'cut off'> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > MAX_BODY_BYTES) return Promise.resolve('too large');
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const end = (result: Parameters<typeof resolve>[0]) => {
      limit.giveBack(length);
      length = 0;
      request.removeAllListeners('data');
      request.pause();
      resolve(result);
    };
    request.on('data', (chunk: Buffer) => {
      if (length + chunk.length > MAX_BODY_BYTES) return end('too large');
      if (!limit.take(chunk.length)) return end('too many at once');
      length += chunk.length;
      chunks.push(chunk);
    });
    request.once('end', () => end(Buffer.concat(chunks)));
    request.once('error', () => end('cut off'));
    request.once('close', () => end('cut off'));
  });
}
