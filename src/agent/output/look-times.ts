import type { Clock } from '../../base/clock.ts';

/**
 * How often what is published is looked at without a hint: some changes make none, such as another mount over the
 * directory. All outputs are looked at in the same moments, with the watched files of the configuration.
 */
const LOOK_MS = 30_000;

/** How long hints are gathered from the first one on: an editor's save makes several. */
const GATHER_MS = 50;

/** Looks are at least this far apart, whatever is changed meanwhile. */
const APART_MS = 1_000;

/** When an output is looked at. */
export class LookTimes {
  readonly #clock: Pick<Clock, 'monoMs'>;
  #lastMs: number;
  #hintMs: number | undefined;

  constructor(clock: Pick<Clock, 'monoMs'>) {
    this.#clock = clock;
    this.#lastMs = clock.monoMs();
  }

  /** On the monotonic clock. */
  get dueMonoMs(): number {
    const regularMs = (Math.floor(this.#lastMs / LOOK_MS) + 1) * LOOK_MS;
    if (this.#hintMs === undefined) return regularMs;
    return Math.min(regularMs, Math.max(this.#hintMs + GATHER_MS, this.#lastMs + APART_MS));
  }

  /** Something may have changed. False: that was known already. */
  hint(): boolean {
    if (this.#hintMs !== undefined) return false;
    this.#hintMs = this.#clock.monoMs();
    return true;
  }

  /** A look begins; what is changed from now on makes a hint of its own. */
  looks(): void {
    this.#lastMs = this.#clock.monoMs();
    this.#hintMs = undefined;
  }
}
