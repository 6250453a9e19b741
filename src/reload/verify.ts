import type { Clock } from '../base/clock.ts';
import { deadline } from '../base/deadline.ts';
import { formatDuration } from '../base/duration.ts';
import { type Failure, failure } from '../base/errors.ts';
import type { VerifyConfig } from '../config/config.ts';
import type { ReloadAction } from './reload.ts';

/** The pause between two questions. */
const PAUSE_MS = 250;

/**
 * Makes the last step of a reload: the application is asked, again and again, until it answers well or `within` is over.
 * What runs at that moment is ended. Fails with OUTPUT_VERIFY_FAILED, which says what the last whole answer was.
 * @param ask one question.
 */
export function createVerify({ place, withinMs }: VerifyConfig, ask: ReloadAction, clock: Clock): ReloadAction {
  return {
    kind: 'verify',
    place,
    timeoutMs: withinMs,
    async run(generation, signal) {
      const over = new AbortController();
      const cancel = deadline(clock, withinMs, () => over.abort());
      const ends = AbortSignal.any([signal, over.signal]);
      let last: Failure | undefined;
      try {
        for (;;) {
          const why = await ask.run(generation, ends);
          if (why === undefined) return undefined;
          if (signal.aborted) return failure('CANCELLED', place, 'verify was ended because the agent stops');
          // A question that the end of the time cut short says less than the answer before it.
          if (why.code !== 'CANCELLED') last = why;
          if (!over.signal.aborted) await clock.sleep(PAUSE_MS, ends);
          if (over.signal.aborted) return notVerified(place, withinMs, last);
        }
      } finally {
        cancel();
      }
    },
  };
}

function notVerified(place: string, withinMs: number, last: Failure | undefined): Failure {
  const reason = last === undefined ? 'no answer' : last.seen;
  return failure('OUTPUT_VERIFY_FAILED', place, `not verified within ${formatDuration(withinMs)}: ${reason}`);
}
