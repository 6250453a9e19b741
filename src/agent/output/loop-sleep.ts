import type { Clock } from '../../base/clock.ts';
import { deadline } from '../../base/deadline.ts';

/** The sleep of a loop, and by when the loop must have come round: a loop that is late hangs, and `livez` says so. */
export class LoopSleep {
  readonly #clock: Clock;
  readonly #roundMs: number;
  #wake: () => void = () => {};
  #dueMonoMs: number;

  /**
   * @param roundMs how long one round of the loop may take.
   * @param beginMonoMs when the first round begins at the latest.
   */
  constructor(clock: Clock, roundMs: number, beginMonoMs: number) {
    this.#clock = clock;
    this.#roundMs = roundMs;
    this.#dueMonoMs = beginMonoMs + roundMs;
  }

  /** When the loop has come round at the latest; infinite: it has ended. */
  get dueMonoMs(): number {
    return this.#dueMonoMs;
  }

  roundBegins(): void {
    this.#dueMonoMs = this.#clock.monoMs() + this.#roundMs;
  }

  loopEnded(): void {
    this.#dueMonoMs = Number.POSITIVE_INFINITY;
  }

  /** Ends a sleep. Does nothing while the loop is at work. */
  wake(): void {
    this.#wake();
  }

  /** Resolves after `ms`, or at `wake`. An infinite sleep costs no timer: a thousand outputs at rest cost nothing. */
  sleep(ms: number): Promise<void> {
    this.#dueMonoMs = this.#clock.monoMs() + ms + this.#roundMs;
    return new Promise((resolve) => {
      let cancel = () => {};
      this.#wake = () => {
        this.#wake = () => {};
        this.roundBegins();
        cancel();
        resolve();
      };
      if (Number.isFinite(ms)) cancel = deadline(this.#clock, ms, () => this.#wake());
    });
  }
}
