import type { Clock } from '../src/base/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly wake: () => void;
}

/**
 * A clock that a test moves. `advance` runs every timer that becomes due, in order, and lets promises settle between
 * them. Wall and monotonic time move together; `jumpWall` moves the wall clock alone.
 */
export class FakeClock implements Clock {
  #monoMs = 0;
  #wallMs: number;
  #order = 0;
  readonly #timers = new Set<Timer>();

  constructor(wallMs = Date.UTC(2026, 0, 1)) {
    this.#wallMs = wallMs;
  }

  wallMs(): number {
    return this.#wallMs;
  }

  monoMs(): number {
    return this.#monoMs;
  }

  /** How many timers still wait: zero at the end of a test that leaks none. */
  get waiting(): number {
    return this.#timers.size;
  }

  after(ms: number, wake: () => void): () => void {
    const timer: Timer = { atMs: this.#monoMs + Math.max(0, ms), order: this.#order++, wake };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = () => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.after(ms, done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  /** Moves the wall clock alone, as an administrator or NTP does. */
  jumpWall(byMs: number): void {
    this.#wallMs += byMs;
  }

  async advance(ms: number): Promise<void> {
    const end = this.#monoMs + ms;
    await settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#moveTo(next.atMs);
      this.#timers.delete(next);
      next.wake();
      await settle();
    }
    this.#moveTo(end);
    await settle();
  }

  #moveTo(monoMs: number): void {
    if (monoMs <= this.#monoMs) return;
    this.#wallMs += monoMs - this.#monoMs;
    this.#monoMs = monoMs;
  }

  #next(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.atMs > end) continue;
      if (first === undefined || timer.atMs < first.atMs || (timer.atMs === first.atMs && timer.order < first.order)) {
        first = timer;
      }
    }
    return first;
  }
}

/** Lets every promise that can settle without time passing do so. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
}
