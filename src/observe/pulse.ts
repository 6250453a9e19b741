import type { Clock } from '../base/clock.ts';

const BEAT_MS = 1_000;

/** Beats once a second. A beat comes late when the event loop is blocked, and its lag is measured. */
export class Pulse implements Disposable {
  readonly #clock: Clock;
  readonly #listeners = new Set<(lagMs: number) => void>();
  #dueMs = 0;
  #lagMs = 0;
  #cancel: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#plan();
  }

  /** How late the last beat was, or how late the next one is by now; the larger counts. */
  lagMs(): number {
    return Math.max(this.#lagMs, this.#clock.monoMs() - this.#dueMs, 0);
  }

  /** Calls `listener` with the lag of each beat, until the result is disposed. */
  onBeat(listener: (lagMs: number) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  [Symbol.dispose](): void {
    this.#cancel();
  }

  #plan(): void {
    this.#dueMs = this.#clock.monoMs() + BEAT_MS;
    this.#cancel = this.#clock.after(BEAT_MS, () => {
      this.#lagMs = Math.max(0, this.#clock.monoMs() - this.#dueMs);
      for (const listener of this.#listeners) listener(this.#lagMs);
      this.#plan();
    });
  }
}
