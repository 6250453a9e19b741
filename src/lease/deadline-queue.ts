import { type Clock, MAX_NAP_MS } from '../base/clock.ts';

interface Slot {
  readonly atMonoMs: number;
  readonly wake: () => void;
  /** Index in the heap; -1 when it left. */
  index: number;
}

/** Wall and monotonic clock must agree to this much over one nap, else the clock jumped or the machine slept. */
const JUMP_MS = 2_000;

/**
 * One timer for any number of deadlines: a binary heap and a single sleep of at most 30 s, so 10,000 secrets cost one
 * pending timer and a deadline ten years ahead works.
 *
 * `onJump` is told at a wake when wall and monotonic time moved apart by more than two seconds: an adjusted clock, or
 * a suspension (CLOCK_MONOTONIC stands still while a machine sleeps).
 */
export class DeadlineQueue {
  readonly #clock: Clock;
  readonly #onJump: (byMs: number) => void;
  readonly #heap: Slot[] = [];
  #cancelNap: (() => void) | undefined;
  #napEndsMs = Number.POSITIVE_INFINITY;
  #offsetMs: number;

  constructor(clock: Clock, onJump: (byMs: number) => void) {
    this.#clock = clock;
    this.#onJump = onJump;
    this.#offsetMs = clock.wallMs() - clock.monoMs();
  }

  get size(): number {
    return this.#heap.length;
  }

  /** By how much the first deadline is past; 0 when all is well. */
  lateMs(): number {
    const first = this.#heap[0];
    return first === undefined ? 0 : Math.max(0, this.#clock.monoMs() - first.atMonoMs);
  }

  /** Calls `wake` once, not before `atMonoMs`; returns how to call it off (idempotent). */
  at(atMonoMs: number, wake: () => void): () => void {
    const slot: Slot = { atMonoMs, wake, index: this.#heap.length };
    this.#heap.push(slot);
    this.#up(slot.index);
    this.#plan();
    return () => {
      if (slot.index >= 0) this.#remove(slot.index);
      if (this.#heap.length === 0) this.#stopNap();
    };
  }

  /** Forgets every deadline. */
  clear(): void {
    for (const slot of this.#heap) slot.index = -1;
    this.#heap.length = 0;
    this.#stopNap();
  }

  #plan(): void {
    const first = this.#heap[0];
    if (first === undefined || this.#napEndsMs <= first.atMonoMs) return;
    this.#stopNap();
    const napMs = Math.min(MAX_NAP_MS, Math.max(0, first.atMonoMs - this.#clock.monoMs()));
    this.#napEndsMs = this.#clock.monoMs() + napMs;
    this.#cancelNap = this.#clock.after(napMs, () => this.#woke());
  }

  #woke(): void {
    this.#stopNap();
    const offsetMs = this.#clock.wallMs() - this.#clock.monoMs();
    const jumpedMs = offsetMs - this.#offsetMs;
    this.#offsetMs = offsetMs;
    if (Math.abs(jumpedMs) > JUMP_MS) this.#onJump(jumpedMs);
    const now = this.#clock.monoMs();
    for (let first = this.#heap[0]; first !== undefined && first.atMonoMs <= now; first = this.#heap[0]) {
      this.#remove(0);
      first.wake();
    }
    this.#plan();
  }

  #stopNap(): void {
    this.#cancelNap?.();
    this.#cancelNap = undefined;
    this.#napEndsMs = Number.POSITIVE_INFINITY;
  }

  #remove(index: number): void {
    const gone = this.#heap[index] as Slot;
    const last = this.#heap.pop() as Slot;
    gone.index = -1;
    if (last === gone) return;
    this.#put(last, index);
    this.#up(index);
    this.#down(last.index);
  }

  #up(from: number): void {
    const slot = this.#heap[from] as Slot;
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = this.#heap[above] as Slot;
      if (parent.atMonoMs <= slot.atMonoMs) break;
      this.#put(parent, at);
      at = above;
    }
    this.#put(slot, at);
  }

  #down(from: number): void {
    const slot = this.#heap[from] as Slot;
    let at = from;
    for (;;) {
      let below = 2 * at + 1;
      const left = this.#heap[below];
      if (left === undefined) break;
      const right = this.#heap[below + 1];
      if (right !== undefined && right.atMonoMs < left.atMonoMs) below++;
      const child = this.#heap[below] as Slot;
      if (child.atMonoMs >= slot.atMonoMs) break;
      this.#put(child, at);
      at = below;
    }
    this.#put(slot, at);
  }

  #put(slot: Slot, index: number): void {
    this.#heap[index] = slot;
    slot.index = index;
  }
}
