import { type Clock, napEndMs } from '../base/clock.ts';

interface Deadline {
  readonly atMonoMs: number;
  readonly wake: () => void;
  /** Index in the heap; -1 once the deadline is past or cancelled. */
  index: number;
}

/** When wall and monotonic clock drift further apart than this over one nap, the clock jumped or the machine slept. */
const JUMP_MS = 2_000;

/**
 * One timer for any number of deadlines: a binary heap and a single timer of at most 30 s (a nap), so 10,000 secrets
 * cost one pending timer and a deadline ten years ahead works.
 *
 * `onJump` is called at the end of a nap when wall and monotonic clock moved apart by more than two seconds: the clock
 * was adjusted, or the machine was suspended (CLOCK_MONOTONIC stands still while a machine sleeps).
 */
export class DeadlineQueue {
  readonly #clock: Clock;
  readonly #onJump: (byMs: number) => void;
  readonly #heap: Deadline[] = [];
  #cancelNap: (() => void) | undefined;
  #napEndsMs = Number.POSITIVE_INFINITY;
  /** When the clocks are compared at the latest: no deadline may put that off. */
  #compareMs = 0;
  #isWaking = false;
  #offsetMs: number;

  constructor(clock: Clock, onJump: (byMs: number) => void) {
    this.#clock = clock;
    this.#onJump = onJump;
    this.#offsetMs = clock.wallMs() - clock.monoMs();
  }

  /** How many deadlines are ahead. */
  get size(): number {
    return this.#heap.length;
  }

  /** By how much the first deadline is past; 0 when none is. */
  lateMs(): number {
    const first = this.#heap[0];
    return first === undefined ? 0 : Math.max(0, this.#clock.monoMs() - first.atMonoMs);
  }

  /** Calls `wake` once, not before `atMonoMs`; returns a function that cancels it (idempotent). */
  at(atMonoMs: number, wake: () => void): () => void {
    const deadline: Deadline = { atMonoMs, wake, index: this.#heap.length };
    this.#heap.push(deadline);
    this.#up(deadline.index);
    this.#plan();
    return () => {
      if (deadline.index >= 0) this.#remove(deadline.index);
      this.#plan();
    };
  }

  /** Forgets every deadline. */
  clear(): void {
    for (const deadline of this.#heap) deadline.index = -1;
    this.#heap.length = 0;
    this.#stopNap();
  }

  /** Sets the timer for the first deadline. One that was cancelled does not wake the process. */
  #plan(): void {
    if (this.#isWaking) return;
    const first = this.#heap[0];
    if (first === undefined) return void this.#stopNap();
    const now = this.#clock.monoMs();
    if (this.#cancelNap === undefined) this.#compareMs = napEndMs(now);
    const endsMs = Math.min(first.atMonoMs, this.#compareMs);
    if (endsMs === this.#napEndsMs) return;
    this.#stopNap();
    this.#napEndsMs = endsMs;
    this.#cancelNap = this.#clock.after(Math.max(0, endsMs - now), () => this.#endNap());
  }

  #endNap(): void {
    this.#stopNap();
    const offsetMs = this.#clock.wallMs() - this.#clock.monoMs();
    const jumpedMs = offsetMs - this.#offsetMs;
    this.#offsetMs = offsetMs;
    this.#isWaking = true;
    try {
      if (Math.abs(jumpedMs) > JUMP_MS) this.#onJump(jumpedMs);
      this.#wakeDue();
    } finally {
      this.#isWaking = false;
      this.#plan();
    }
  }

  #wakeDue(): void {
    const now = this.#clock.monoMs();
    for (let first = this.#heap[0]; first !== undefined && first.atMonoMs <= now; first = this.#heap[0]) {
      this.#remove(0);
      first.wake();
    }
  }

  #stopNap(): void {
    this.#cancelNap?.();
    this.#cancelNap = undefined;
    this.#napEndsMs = Number.POSITIVE_INFINITY;
  }

  #remove(index: number): void {
    const gone = this.#heap[index] as Deadline;
    const last = this.#heap.pop() as Deadline;
    gone.index = -1;
    if (last === gone) return;
    this.#put(last, index);
    this.#up(index);
    this.#down(last.index);
  }

  #up(from: number): void {
    const deadline = this.#heap[from] as Deadline;
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = this.#heap[above] as Deadline;
      if (parent.atMonoMs <= deadline.atMonoMs) break;
      this.#put(parent, at);
      at = above;
    }
    this.#put(deadline, at);
  }

  #down(from: number): void {
    const deadline = this.#heap[from] as Deadline;
    let at = from;
    for (;;) {
      let below = 2 * at + 1;
      const left = this.#heap[below];
      if (left === undefined) break;
      const right = this.#heap[below + 1];
      if (right !== undefined && right.atMonoMs < left.atMonoMs) below++;
      const child = this.#heap[below] as Deadline;
      if (child.atMonoMs >= deadline.atMonoMs) break;
      this.#put(child, at);
      at = below;
    }
    this.#put(deadline, at);
  }

  #put(deadline: Deadline, index: number): void {
    this.#heap[index] = deadline;
    deadline.index = index;
  }
}
