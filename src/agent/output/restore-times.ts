import type { Clock } from '../../base/clock.ts';

/** The wait between the first restore and the second; it doubles with each one that follows. */
const FIRST_MS = 1_000;
const MAX_MS = 5 * 60_000;

/** An output that was left alone for this long is restored at once again; it must be twice the last wait, too. */
const CALM_MS = 60_000;

/** How many restores in a row tell that somebody works against them. */
export const CONTESTED_AFTER = 3;

/**
 * When an output that others have changed is put right: at once, and again and again later when it does not stay so.
 * Somebody may have a loop that changes it, and each restore is a generation and a reload of the application.
 */
export class RestoreTimes {
  readonly #clock: Pick<Clock, 'monoMs'>;
  readonly #random: () => number;
  /** Restores in a row. */
  #count = 0;
  #lastMs = Number.NEGATIVE_INFINITY;
  #waitMs = 0;

  constructor(clock: Pick<Clock, 'monoMs'>, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Restores that were made in a row, each soon after the one before. */
  get inARow(): number {
    return this.#count;
  }

  /** When a change that a look found now may be put right, on the monotonic clock. */
  dueMonoMs(): number {
    if (this.#clock.monoMs() - this.#lastMs >= Math.max(CALM_MS, 2 * this.#waitMs)) this.#count = 0;
    return this.#count === 0 ? this.#clock.monoMs() : this.#lastMs + this.#waitMs;
  }

  /** A restore begins. */
  restores(): void {
    this.#lastMs = this.#clock.monoMs();
    const spread = 0.8 + 0.4 * this.#random(); // replicas whose files one tool changes do not restore in step
    this.#waitMs = Math.min(MAX_MS, FIRST_MS * 2 ** this.#count * spread);
    this.#count += 1;
  }
}
