import type { IncomingMessage } from 'node:http';

/** Counts the bytes of all bodies that are being read, so that many large ones do not fill the memory. */
export class BodyLimit {
  readonly #maxBytes: number;
  #bytes = 0;

  /** @param maxBytes of all bodies that are read at one time. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** False: there are too many. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#maxBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** Why a body was not taken. */
export type NotTaken = 'too large' | 'too many at once' | 'cut off';

/** The status of the answer. A client whose body was cut off has left: none gets its answer. */
export const STATUS_OF_NOT_TAKEN: Readonly<Record<NotTaken, number>> = {
  'too large': 413,
  'too many at once': 503,
  'cut off': 400,
};

/** How a body is read. */
export interface BodyOptions {
  /** The longest body. */
  readonly maxBytes: number;
  /** What bounds it together with others. Absent: nothing does. */
  readonly all?: BodyLimit;
}

/** The part of a body that was read. Unless it is whole, the rest has not been read. */
export interface BodyStart {
  readonly bytes: Buffer;
  readonly end: 'whole' | NotTaken;
}

/** The whole body of a request, or why it is not taken. It never rejects. */
export async function readBody(request: IncomingMessage, options: BodyOptions): Promise<Buffer | NotTaken> {
  if (Number(request.headers['content-length'] ?? 0) > options.maxBytes) return 'too large';
  const { bytes, end } = await readStart(request, options);
  return end === 'whole' ? bytes : end;
}

/** Reads a body to its end, or until it has more than `maxBytes`; then the bytes are a few more. It never rejects. */
export function readStart(message: IncomingMessage, { maxBytes, all }: BodyOptions): Promise<BodyStart> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    let taken = 0;
    const finish = (end: BodyStart['end']) => {
      message.off('data', take).off('end', ended).off('error', broken).off('close', broken);
      all?.giveBack(taken);
      resolve({ bytes: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks), end });
    };
    const refuse = (why: NotTaken) => {
      message.pause();
      finish(why);
    };
    const take = (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > maxBytes) return refuse('too large');
      if (all?.take(chunk.length) === false) return refuse('too many at once');
      taken = length;
    };
    const ended = () => finish('whole');
    const broken = () => {
      finish('cut off');
      message.on('error', () => {}); // an error may follow the close
    };
    if (message.destroyed) return broken(); // it says so no more
    message.on('data', take).on('end', ended).on('error', broken).on('close', broken);
  });
}
