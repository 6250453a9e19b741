import type { Clock } from '../../base/clock.ts';
import { asFailure, type Failure, failure } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import type { Difference, DriftLook } from '../../deliver/sink.ts';
import { LookTimes } from './look-times.ts';
import { CONTESTED_AFTER, RestoreTimes } from './restore-times.ts';

export interface DriftKeeperDeps {
  /** Name of the output, for facts. */
  readonly output: string;
  readonly place: string;
  readonly look: DriftLook;
  /** Absent: what differs is put right. */
  readonly drift?: 'report' | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
  /** `dueMonoMs` may be another one now. */
  readonly onHint: () => void;
}

export type LookResult =
  /** Nothing is other than before the look. */
  | { readonly kind: 'same' }
  /** `why` is another one. */
  | { readonly kind: 'changed' }
  /** These differences are to be put right now. */
  | { readonly kind: 'restore'; readonly differences: readonly Difference[] };

/** How many differences a failure names. */
const MAX_NAMED = 3;

/**
 * Says when the published files of one output are looked at, what is wrong with them, and when that is put right.
 * Imported on first use: `init` never needs it.
 */
export class DriftKeeper implements Disposable {
  readonly #deps: DriftKeeperDeps;
  readonly #looks: LookTimes;
  readonly #restores: RestoreTimes;
  readonly #watch: Disposable;
  #why: Failure | undefined;
  /** When what is wrong is put right; a hint changes nothing about that. */
  #restoreAtMs = 0;

  constructor(deps: DriftKeeperDeps) {
    const { clock, random, look, onHint } = deps;
    this.#deps = deps;
    this.#looks = new LookTimes(clock);
    this.#restores = new RestoreTimes(clock, random);
    this.#watch = look.watch(() => {
      if (this.#looks.hint()) onHint();
    });
  }

  /** When the next look is due, on the monotonic clock. */
  get dueMonoMs(): number {
    return this.#why !== undefined && this.#deps.drift !== 'report' ? this.#restoreAtMs : this.#looks.dueMonoMs;
  }

  /** How the published files differ from what was published; undefined: they did not at the last look. */
  get why(): Failure | undefined {
    return this.#why;
  }

  /** What is on disk is what was rendered: it was just published, or compared. A look follows soon. */
  published(): void {
    this.#why = undefined;
    this.#looks.hint();
  }

  async check(): Promise<LookResult> {
    const { output, place, look, drift, emit, clock } = this.#deps;
    this.#looks.looks();
    const differences = await look.look().catch((error: unknown): readonly Difference[] => {
      return [{ of: 'content', seen: asFailure(error, place).seen }];
    });
    const before = this.#why;
    if (differences.length === 0) {
      if (before === undefined) return { kind: 'same' };
      this.#why = undefined;
      emit({ kind: 'output-drift-over', output });
      return { kind: 'changed' };
    }
    const why = failure('OUTPUT_DRIFTED', place, this.#seen(differences));
    this.#why = why;
    if (drift === 'report') {
      if (before === undefined) emit({ kind: 'output-drifted', output, failure: why });
      return { kind: before?.seen === why.seen ? 'same' : 'changed' };
    }
    const waitMs = Math.max(0, this.#restores.dueMonoMs() - clock.monoMs());
    if (before === undefined) emit({ kind: 'output-drifted', output, failure: why, restoreInMs: waitMs });
    if (waitMs === 0) this.#restores.restores();
    this.#restoreAtMs = this.#restores.dueMonoMs();
    return waitMs === 0 ? { kind: 'restore', differences } : { kind: 'changed' };
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
  }

  #seen(differences: readonly Difference[]): string {
    const named = differences.slice(0, MAX_NAMED).map(({ seen }) => seen);
    const others = differences.length - named.length;
    const times = this.#restores.inARow;
    const contested =
      times < CONTESTED_AFTER ? '' : `; another process changes it again after ${times} restores in a row`;
    return `${[...named, ...(others === 0 ? [] : [`${others} more`])].join(', ')}${contested}`;
  }
}
