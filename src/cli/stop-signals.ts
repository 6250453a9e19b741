import { constants } from 'node:os';
import { endListeningEarly, endProcess, hurry, MAX_END_MS } from './end-process.ts';

export interface StopSignals extends Disposable {
  /** Aborts at the first SIGTERM or SIGINT. */
  readonly signal: AbortSignal;
  /** Stops as a signal does, for a client of the API that asks for it. The exit status is 0. */
  readonly stop: () => void;
  /** The signal that came; undefined when none did so far. */
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

/** Ends the process with this status when it has not ended by itself after five seconds. */
export function endInTime(status: number): void {
  setTimeout(() => void endProcess(status), STOP_WITHIN_MS - MAX_END_MS).unref();
}

/** 128 + the signal's number, as shells report it. */
export function exitStatusOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}
