import type { Clock } from '../../src/base/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  wake: (() => void) | undefined;
}

/** Time moves in steps: what falls in one step happens together, which is most of the speed of a large fleet. */
const TICK_MS = 50;

/** So many cancelled timers may lie in the heap before they are taken out. */
const MAX_DEAD = 50_000;

/**
 * The time of a simulation: a heap of timers, for hundreds of thousands of them. Nothing happens but by `run`, which
 * moves from timer to timer and lets promises settle in between. Each agent has a clock of its own (`clockAt`), whose
 * monotonic time began at another moment, as that of each process does.
 */
export class SimTime {
  #nowMs = 0;
  #order = 0;
  #dead = 0;
  #heap: Timer[] = [];

  get nowMs(): number {
    return this.#nowMs;
  }

  after(ms: number, wake: () => void): () => void {
    const atMs = Math.ceil((this.#nowMs + Math.max(0, ms)) / TICK_MS) * TICK_MS;
    const timer: Timer = { atMs, order: this.#order++, wake };
    this.#push(timer);
    return () => {
      if (timer.wake === undefined) return;
      timer.wake = undefined;
      if (++this.#dead > MAX_DEAD && this.#dead > this.#heap.length / 2) this.#sweep();
    };
  }

  clockAt(startedMs: number): Clock {
    const after = (ms: number, wake: () => void) => this.after(ms, wake);
    return {
      wallMs: () => Date.UTC(2026, 0, 1) + this.#nowMs,
      monoMs: () => this.#nowMs + startedMs,
      after,
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          if (signal.aborted) return resolve();
          const done = () => {
            cancel();
            signal.removeEventListener('abort', done);
            resolve();
          };
          const cancel = after(ms, done);
          signal.addEventListener('abort', done, { once: true });
        }),
    };
  }

  /** Runs every timer up to `untilMs`, in order. */
  async run(untilMs: number): Promise<void> {
    await turn();
    for (let first = this.#heap[0]; first !== undefined && first.atMs <= untilMs; first = this.#heap[0]) {
      this.#nowMs = Math.max(this.#nowMs, first.atMs);
      // All that is due at this moment, and then what follows from it.
      for (let due = this.#heap[0]; due !== undefined && due.atMs <= this.#nowMs; due = this.#heap[0]) {
        this.#pop();
        const { wake } = due;
        due.wake = undefined;
        if (wake === undefined) this.#dead--;
        else wake();
      }
      await turn();
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  #sweep(): void {
    const live = this.#heap.filter(({ wake }) => wake !== undefined);
    this.#heap = live.sort(before);
    this.#dead = 0;
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(timer);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above] as Timer;
      if (before(parent, timer) <= 0) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Timer;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      const left = heap[below];
      if (left === undefined) break;
      const right = heap[below + 1];
      if (right !== undefined && before(right, left) < 0) below++;
      const child = heap[below] as Timer;
      if (before(last, child) <= 0) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
  }
}

const before = (a: Timer, b: Timer): number => a.atMs - b.atMs || a.order - b.order;

/** Lets every promise settle that can without time passing. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
