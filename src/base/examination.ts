import type { Clock } from './clock.ts';
import type { Code } from './codes.ts';
import { asFailure, type Failure, type FilePosition, fail } from './errors.ts';
import { onAbort } from './on-abort.ts';

/** `skipped`: an earlier failure, or what a check would change, made this check moot. */
export type CheckState = 'ok' | 'warning' | 'failure' | 'skipped';

/** One thing that `pannier doctor` looked at. It never holds a secret value. */
export interface Check {
  /** What was looked at: `credential`, `name`, `connection`, `tls`, `login`, … */
  readonly check: string;
  /** The configuration path that it concerns. */
  readonly place: string;
  /** Where that stands in a configuration file; absent when nobody looked for it. */
  readonly at?: FilePosition;
  readonly state: CheckState;
  readonly seen: string;
  /** What to do; absent when there is nothing to do. */
  readonly hint?: string;
  /** The code of a warning or a failure, which decides the exit status. */
  readonly code?: Code;
}

/** How long one check takes at most. */
export const MAX_CHECK_MS = 5_000;

/** Runs checks one after the other, each within its time, and notes what they found. */
export class Examination {
  readonly clock: Clock;
  /** Aborts when the command has no time left, or is to stop. */
  readonly signal: AbortSignal;
  readonly #checks: Check[] = [];

  constructor(clock: Clock, signal: AbortSignal) {
    this.clock = clock;
    this.signal = signal;
  }

  /** What was found so far, in order. */
  get checks(): readonly Check[] {
    return this.#checks;
  }

  /**
   * Runs one check, and resolves to whether it did not fail. Never rejects.
   * @param work resolves to what was seen, or to a failure that is a warning here; it throws when the check fails.
   */
  async run(check: string, place: string, work: (signal: AbortSignal) => Promise<string | Failure>): Promise<boolean> {
    try {
      const found = await this.inTime(place, work);
      if (typeof found === 'string') this.pass(check, place, found);
      else this.warn(check, found);
      return true;
    } catch (error) {
      this.refuse(check, asFailure(error, place));
      return false;
    }
  }

  /** Notes that another check found nothing wrong. */
  pass(check: string, place: string, seen: string): void {
    this.#checks.push({ check, place, state: 'ok', seen });
  }

  /** Notes a warning that another check came upon. */
  warn(check: string, { code, place, at, seen, hint }: Failure): void {
    this.#checks.push({ check, place, ...(at === undefined ? {} : { at }), state: 'warning', seen, hint, code });
  }

  /** Notes a failure that another check came upon. */
  refuse(check: string, { code, place, at, seen, hint }: Failure): void {
    this.#checks.push({ check, place, ...(at === undefined ? {} : { at }), state: 'failure', seen, hint, code });
  }

  /** Notes that a check was not made, and why. */
  skip(check: string, place: string, seen: string, hint?: string): void {
    this.#checks.push({ check, place, state: 'skipped', seen, ...(hint === undefined ? {} : { hint }) });
  }

  /**
   * Does what a check needs within the time of one check; the caller notes what comes of it.
   * @throws PannierError CHECK_TIMEOUT, and what `work` throws.
   */
  async inTime<T>(place: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.signal.aborted) throw fail('CHECK_TIMEOUT', place, 'not looked at: no time is left');
    const stop = new AbortController();
    const { promise: ended, reject } = Promise.withResolvers<never>();
    const end = (seen: string) => {
      reject(fail('CHECK_TIMEOUT', place, seen));
      stop.abort();
    };
    const cancel = this.clock.after(MAX_CHECK_MS, () => end(`no result within ${MAX_CHECK_MS / 1000}s`));
    const unlisten = onAbort(this.signal, () => end('no result before the time was up'));
    try {
      return await Promise.race([work(stop.signal), ended]);
    } finally {
      cancel();
      unlisten();
    }
  }
}
