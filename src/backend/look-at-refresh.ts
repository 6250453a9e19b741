import type { Clock } from '../base/clock.ts';
import { deadline } from '../base/deadline.ts';
import type { Want, Watching } from './backend.ts';

export interface LookDeps {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/**
 * Looks at a want about once in its `refresh`, 10 % more or less, for the first time anywhere in it, so that a fleet
 * drifts apart, and when it is asked to. One look runs at a time. Another `refresh` counts at once.
 * @param look never rejects, and ends soon after its signal aborts.
 */
export function lookAtRefresh(
  wanted: Want,
  { clock, random }: LookDeps,
  look: (want: Want, signal: AbortSignal) => Promise<void>,
): Watching {
  const stop = new AbortController();
  let want = wanted;
  let cancel = () => {};
  let isLooking = false;
  let mustLookAgain = false;
  const next = (share: number) => {
    if (!stop.signal.aborted) cancel = deadline(clock, want.refreshMs * share, () => void run());
  };
  const run = async () => {
    isLooking = true;
    do {
      mustLookAgain = false;
      await look(want, stop.signal);
    } while (mustLookAgain && !stop.signal.aborted);
    isLooking = false;
    next(0.9 + 0.2 * random());
  };
  next(random());
  return {
    follow: (other) => {
      want = other;
      if (isLooking) return; // a look that runs plans the next one itself
      cancel();
      next(random());
    },
    look: () => {
      mustLookAgain = isLooking;
      cancel();
      if (!isLooking && !stop.signal.aborted) void run();
    },
    [Symbol.dispose]: () => {
      stop.abort();
      cancel();
    },
  };
}
