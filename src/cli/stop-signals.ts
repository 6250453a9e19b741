import { constants } from 'node:os';
import { END_MS, endListeningEarly, endProcess, hurry } from './end-process.ts';

export interface StopSignals extends Disposable {
  /** Aborts at the first SIGTERM or SIGINT. */
  readonly signal: AbortSignal;
  /** Stops as a signal does, for those who may ask it over the API; the status is 0 then in any case. */
  readonly stop: () => void;
  /** Which signal came; undefined before, and when none did. */
  readonly received: () => NodeJS.Signals | undefined;
}

/** A stop takes at most this long; then the process ends with whatever is left undone. */
const STOP_WITHIN_MS = 5_000;

/**
 * The first SIGTERM or SIGINT stops cleanly within five seconds, a second one ends the process at once with 128+n.
 * SIGPIPE is left out: Node ignores it and writes fail instead.
 */
export function listenForStop(): StopSignals {
  const abort = new AbortController();
  let received: NodeJS.Signals | undefined;
  endListeningEarly();
  const stopWithin = (status: number) => {
    hurry();
    abort.abort();
    endInTime(status);
  };
  const stop = (signal: NodeJS.Signals) => {
    if (received !== undefined) return void endProcess(exitStatusOf(signal));
    received = signal;
    stopWithin(exitStatusOf(signal));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  return {
    signal: abort.signal,
    stop: () => stopWithin(0),
    received: () => received,
    [Symbol.dispose]: () => {
      process.off('SIGTERM', stop);
      process.off('SIGINT', stop);
    },
  };
}

/** Ends the process with this status, should it not have ended by itself in five seconds. */
export function endInTime(status: number): void {
  setTimeout(() => void endProcess(status), STOP_WITHIN_MS - END_MS).unref();
}

/** 128 + the signal's number, as shells report it. */
export function exitStatusOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}
