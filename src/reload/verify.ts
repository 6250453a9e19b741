import type { Clock } from '../base/clock.ts';
import { deadline } from '../base/deadline.ts';
import { formatDuration } from '../base/duration.ts';
import { type Failure, failure } from '../base/errors.ts';
import type { VerifyConfig } from '../config/config.ts';

/** The pause between two questions. */
const PAUSE_MS = 250;

/**
 * The last step of a reload: asks the application, again and again, until it answers well or `within` is over. What
 * runs at that moment is ended. Resolves to undefined when it answered well, to CANCELLED when `signal` aborts, and
 * otherwise to OUTPUT_VERIFY_FAILED, which says what the last whole answer was. Never throws.
 * @param ask one question, which ends soon after its signal aborts.
 */
export async function verify(
  { place, withinMs }: VerifyConfig,
  ask: (signal: AbortSignal) => Promise<Failure | undefined>,
  clock: Clock,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const over = new AbortController();
  const cancel = deadline(clock, withinMs, () => over.abort());
  const ends = AbortSignal.any([signal, over.signal]);
  let reason = 'no answer';
  try {
    for (;;) {
      const why = await ask(ends);
      if (why === undefined) return undefined;
      if (signal.aborted) return failure('CANCELLED', place, 'verify was ended because the agent stops');
      // A question that the end of the time cut short says less than the answer before it.
      if (why.code !== 'CANCELLED') reason = why.seen;
      if (!over.signal.aborted) await clock.sleep(PAUSE_MS, ends);
      if (over.signal.aborted) {
        const seen = `not verified within ${formatDuration(withinMs)}: ${reason}`;
        return failure('OUTPUT_VERIFY_FAILED', place, seen);
      }
    }
  } finally {
    cancel();
  }
}
