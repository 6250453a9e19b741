import type { IncomingMessage } from 'node:http';
import { fail } from '../../base/errors.ts';
import type { CallCancellation } from '../../http/call-cancellation.ts';

/** What was read of a body. */
export interface BodyStart {
  readonly bytes: Buffer;
  /** False: there is more, which is still to be read. */
  readonly isWhole: boolean;
}

/**
 * Reads a body to its end, or a little beyond `most` bytes.
 * @throws PannierError BACKEND_UNREACHABLE when it breaks off, or the reason of `stop`.
 */
export function readSome(message: IncomingMessage, most: number, stop: CallCancellation): Promise<BodyStart> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const leave = () => {
      message.off('data', take).off('end', ended).off('error', broken).off('close', broken);
    };
    const done = (isWhole: boolean) => {
      leave();
      resolve({ bytes: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks), isWhole });
    };
    const take = (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length <= most) return;
      message.pause();
      done(false);
    };
    const ended = () => done(true);
    const broken = () => {
      leave();
      message.on('error', () => {}); // it may follow the close of its connection
      reject(stop.reason ?? fail('BACKEND_UNREACHABLE', 'proxy', 'a body broke off'));
    };
    message.on('data', take).on('end', ended).on('error', broken).on('close', broken);
  });
}
