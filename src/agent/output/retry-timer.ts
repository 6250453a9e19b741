import { backoffMs, DEFAULT_BACKOFF } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import type { Failure } from '../../base/errors.ts';

/** A full volume is a local matter: tries meet no fleet there, and space comes back from one moment to the next. */
const FULL_CAP_MS = 5_000;

/** Says when something that failed is tried again: with backoff, which grows with the failures in a row. */
export class RetryTimer {
  readonly #clock: Pick<Clock, 'monoMs'>;
  readonly #random: () => number;
  #failures = 0;
  #dueMonoMs = Number.POSITIVE_INFINITY;

  constructor(clock: Pick<Clock, 'monoMs'>, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** On the monotonic clock; infinite: nothing is to be tried again. */
  get dueMonoMs(): number {
    return this.#dueMonoMs;
  }

  /** Counts a failure and plans the next try. @returns in how many milliseconds it is due. */
  failed(retryAfterMs?: number): number {
    return this.#planIn(this.countFailure(retryAfterMs));
  }

  /** As `failed`, for what a destination refused. A full one is tried each five seconds at least. */
  destinationFailed({ code }: Failure): number {
    const capMs = code === 'OUTPUT_FULL' ? FULL_CAP_MS : DEFAULT_BACKOFF.capMs;
    return this.#planIn(backoffMs(++this.#failures, this.#random, undefined, { ...DEFAULT_BACKOFF, capMs }));
  }

  /** Counts a failure that is not worth another try. @returns how long the next try would have to wait. */
  countFailure(retryAfterMs?: number): number {
    return backoffMs(++this.#failures, this.#random, retryAfterMs);
  }

  /** Plans a try as after the last failure, which is not counted again. */
  failedBefore(): void {
    this.#planIn(backoffMs(this.#failures, this.#random));
  }

  /** Plans a try for now, and backoff begins anew. */
  atOnce(): void {
    this.succeeded();
    this.#planIn(0);
  }

  /** Plans a try for a moment on the monotonic clock, and backoff begins anew. */
  at(monoMs: number): void {
    this.succeeded();
    this.#dueMonoMs = monoMs;
  }

  /** No try is planned any more; the failures still count. */
  cancel(): void {
    this.#dueMonoMs = Number.POSITIVE_INFINITY;
  }

  /** Backoff begins anew. */
  succeeded(): void {
    this.#failures = 0;
  }

  #planIn(ms: number): number {
    this.#dueMonoMs = this.#clock.monoMs() + ms;
    return ms;
  }
}
