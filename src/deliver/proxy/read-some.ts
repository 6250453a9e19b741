import type { IncomingMessage } from 'node:http';
import { fail } from '../../base/errors.ts';
import type { CallCancellation } from '../../http/call-cancellation.ts';
import { PlainAnswer } from '../../http/plain-answer.ts';
import { readStart } from '../../http/serving/read-body.ts';

/** A body up to this length is held in memory, so that its request can be examined and sent again. */
export const MAX_HELD = 64 * 1024;

/** The part of a body that was read. */
export interface BodyStart {
  readonly bytes: Buffer;
  /** False: the body goes on, and the rest has not been read. */
  readonly isWhole: boolean;
}

/**
 * Reads a body to its end, or until it has more than `maxBytes`.
 * @throws PannierError BACKEND_UNREACHABLE when it breaks off, or the reason of `stop`.
 */
export async function readSome(
  message: IncomingMessage | PlainAnswer,
  maxBytes: number,
  stop: CallCancellation,
): Promise<BodyStart> {
  if (message instanceof PlainAnswer) return { bytes: message.body, isWhole: true };
  const { bytes, end } = await readStart(message, { maxBytes });
  if (end === 'cut off') {
    throw stop.reason ?? fail('BACKEND_UNREACHABLE', 'proxy', 'a body broke off before its end');
  }
  return { bytes, isWhole: end === 'whole' };
}
