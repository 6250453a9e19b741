import type { Clock } from '../../../base/clock.ts';
import type { Topic } from '../../../feed/feed.ts';
import type { WatchListener } from '../../backend.ts';
import type { Wanted } from './marks-of.ts';

/** What is written again and again is read this often at most. */
export const GAP_MS = 200;

/** A change that concerns very many secrets is read at a random moment in this time. */
export const SPREAD_MS = 30_000;

/**
 * Each change is read once more after this time: a standby that answers reads may have been behind at the first one,
 * and a mount that is moved is there again a moment later.
 */
export const ONCE_MORE_MS = 5_000;

export interface ToldWantDeps {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** How often what is covered is polled. */
  readonly pollMs: number;
}

/** One secret that a feed tells of: says when it is read, and that it need not be polled. */
export class ToldWant implements Topic, Disposable {
  readonly #deps: ToldWantDeps;
  readonly #wanted: Wanted;
  readonly #listener: Pick<WatchListener, 'written' | 'covered'>;
  #cancelSoon: (() => void) | undefined;
  #soonMonoMs = Number.POSITIVE_INFINITY;
  #cancelOnceMore: (() => void) | undefined;
  #readMonoMs = Number.NEGATIVE_INFINITY;
  #isOver = false;

  constructor(wanted: Wanted, listener: Pick<WatchListener, 'written' | 'covered'>, deps: ToldWantDeps) {
    this.#wanted = wanted;
    this.#listener = listener;
    this.#deps = deps;
  }

  get marks() {
    return this.#wanted.marks;
  }

  changed(isBroad: boolean): void {
    if (this.#isOver) return;
    const { clock, random } = this.#deps;
    const now = clock.monoMs();
    this.#readAt(Math.max(now + (isBroad ? random() * SPREAD_MS : 0), this.#readMonoMs + GAP_MS), now);
  }

  covered(isCovered: boolean): void {
    if (this.#isOver || !this.#wanted.isWhole) return;
    this.#listener.covered(isCovered ? this.#deps.pollMs : undefined);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#cancelSoon?.();
    this.#cancelOnceMore?.();
  }

  #readAt(atMonoMs: number, now: number): void {
    if (atMonoMs <= now) {
      this.#read();
      return;
    }
    if (this.#soonMonoMs <= atMonoMs) return;
    this.#cancelSoon?.();
    this.#soonMonoMs = atMonoMs;
    this.#cancelSoon = this.#deps.clock.after(atMonoMs - now, () => this.#read());
  }

  #read(): void {
    this.#cancelSoon?.();
    this.#cancelSoon = undefined;
    this.#soonMonoMs = Number.POSITIVE_INFINITY;
    this.#readMonoMs = this.#deps.clock.monoMs();
    this.#cancelOnceMore?.();
    const laterMs = ONCE_MORE_MS * (1 + 0.2 * this.#deps.random());
    this.#cancelOnceMore = this.#deps.clock.after(laterMs, () => {
      this.#cancelOnceMore = undefined;
      this.#listener.written();
    });
    this.#listener.written();
  }
}
