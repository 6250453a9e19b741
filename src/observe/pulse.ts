import type { Clock } from '../base/clock.ts';

const BEAT_MS = 1_000;

/** A beat each second, which comes late when the event loop is blocked. */
export class Pulse implements Disposable {
  readonly #clock: Clock;
  readonly #heard = new Set<(lagMs: number) => void>();
  #dueMs = 0;
  #lagMs = 0;
  #cancel: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#plan();
  }

  /** How late the last beat was, or the next one is by now. */
  lagMs(): number {
    return Math.max(this.#lagMs, this.#clock.monoMs() - this.#dueMs, 0);
  }

  /** Calls `heard` with the lag of each beat. */
  onBeat(heard: (lagMs: number) => void): Disposable {
    this.#heard.add(heard);
    return { [Symbol.dispose]: () => void this.#heard.delete(heard) };
  }

  [Symbol.dispose](): void {
    this.#cancel();
  }

  #plan(): void {
    this.#dueMs = this.#clock.monoMs() + BEAT_MS;
    this.#cancel = this.#clock.after(BEAT_MS, () => {
      this.#lagMs = Math.max(0, this.#clock.monoMs() - this.#dueMs);
      for (const heard of this.#heard) heard(this.#lagMs);
      this.#plan();
    });
  }
}
