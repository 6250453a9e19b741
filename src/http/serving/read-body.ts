import type { IncomingMessage } from 'node:http';

/** Counts the bytes of all bodies that are being read, so that many large ones do not fill the memory. */
export class BodyLimit {
  /** The longest body. */
  readonly maxBytes: number;
  readonly #maxBytesAtOnce: number;
  #bytes = 0;

  constructor(limits: { readonly maxBytes: number; readonly maxBytesAtOnce: number }) {
    this.maxBytes = limits.maxBytes;
    this.#maxBytesAtOnce = limits.maxBytesAtOnce;
  }

  /** False: there are too many. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#maxBytesAtOnce) return false;
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
  if (announced > limit.maxBytes) return Promise.resolve('too large');
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
      if (length + chunk.length > limit.maxBytes) return end('too large');
      if (!limit.take(chunk.length)) return end('too many at once');
      length += chunk.length;
      chunks.push(chunk);
    });
    request.once('end', () => end(Buffer.concat(chunks)));
    request.once('error', () => end('cut off'));
    request.once('close', () => end('cut off'));
  });
}
