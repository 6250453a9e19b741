import type { Clock } from '../base/clock.ts';

const BEAT_MS = 2_000;

/** Beats that go on after the last question for the lag: those who probe ask again within five minutes. */
const BEATS_AFTER_QUESTION = 150;

/**
 * Beats every two seconds while somebody wants to know of it. A beat comes late when the event loop is blocked, and its
 * lag is measured. An agent that nobody probes or scrapes is not woken for it.
 */
export class Pulse implements Disposable {
  readonly #clock: Clock;
  readonly #listeners = new Set<(lagMs: number) => void>();
  #beatsLeft = 0;
  #dueMs = Number.POSITIVE_INFINITY;
  #lagMs = 0;
  #cancel: (() => void) | undefined;
  #isDisposed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * How late the last beat was, or how late the next one is by now; the larger counts. The first question begins the
   * beats, and is answered with 0.
   */
  lagMs(): number {
    const lagMs = Math.max(this.#lagMs, this.#clock.monoMs() - this.#dueMs, 0);
    this.#beatsLeft = BEATS_AFTER_QUESTION;
    this.#plan();
    return lagMs;
  }

  /** Calls `listener` with the lag of each beat, until the result is disposed. */
  onBeat(listener: (lagMs: number) => void): Disposable {
    this.#listeners.add(listener);
    this.#plan();
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#cancel?.();
  }

  #plan(): void {
    if (this.#cancel !== undefined || this.#isDisposed) return;
    this.#dueMs = this.#clock.monoMs() + BEAT_MS;
    this.#cancel = this.#clock.after(BEAT_MS, () => this.#beat());
  }

  #beat(): void {
    this.#cancel = undefined;
    this.#lagMs = Math.max(0, this.#clock.monoMs() - this.#dueMs);
    this.#dueMs = Number.POSITIVE_INFINITY;
    for (const listener of this.#listeners) listener(this.#lagMs);
    if (this.#listeners.size > 0 || --this.#beatsLeft > 0) this.#plan();
    else this.#lagMs = 0;
  }
}
