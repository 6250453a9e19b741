import type { IncomingMessage } from 'node:http';
import { fail } from '../../base/errors.ts';
import type { CallCancellation } from '../../http/call-cancellation.ts';
import { PlainAnswer } from '../../http/plain-answer.ts';

/** A body up to this length is held in memory, so that its request can be examined and sent again. */
export const MAX_HELD = 64 * 1024;

/** The part of a body that was read. */
export interface BodyStart {
  readonly bytes: Buffer;
  /** False: the body goes on, and the rest has not been read. */
  readonly isWhole: boolean;
}

/**
 * Reads a body to its end, or until it has more than `max` bytes.
 * @throws PannierError BACKEND_UNREACHABLE when it breaks off, or the reason of `stop`.
 */
export function readSome(
  message: IncomingMessage | PlainAnswer,
  max: number,
  stop: CallCancellation,
): Promise<BodyStart> {
  if (message instanceof PlainAnswer) return Promise.resolve({ bytes: message.body, isWhole: true });
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
      if (length <= max) return;
      message.pause();
      done(false);
    };
    const ended = () => done(true);
    const broken = () => {
      leave();
      message.on('error', () => {}); // an error may follow the close
      reject(stop.reason ?? fail('BACKEND_UNREACHABLE', 'proxy', 'a body broke off before its end'));
    };
    message.on('data', take).on('end', ended).on('error', broken).on('close', broken);
  });
}
