import type { Clock } from '../../base/clock.ts';
import type { Failure } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import type { Tracing } from '../../base/tracing.ts';
import type { GenerationsConfig } from '../../config/config.ts';
import type { ReloadMark } from '../../deliver/sink.ts';
import type { LeaseManager } from '../../lease/manager.ts';
import type { Reload } from '../../reload/reload.ts';
import { ReloadProgress } from './reload-progress.ts';
import type { ReloadRound, ReloadRoundDeps } from './reload-round.ts';
import { ReloadSlot } from './reload-slot.ts';
import type { RetryTimer } from './retry-timer.ts';
import type { Standing } from './standing.ts';
import type { UsedValues } from './used-values.ts';

export interface TakeUpDeps {
  readonly output: Pick<GenerationsConfig, 'name' | 'reloadSpreadMs'>;
  readonly place: string;
  readonly mark: ReloadMark;
  /** Steps in order; the first that fails ends the round, and the next round begins with it. */
  readonly reloads: readonly Reload[];
  /** Runs the steps. Undefined where there is none. */
  readonly createRound: ((deps: ReloadRoundDeps) => ReloadRound) | undefined;
  /** This replica's share of the output's `reloadSpreadMs`, in [0, 1). Absent: reloads are not spread. */
  readonly reloadShare?: number | undefined;
  /** The secrets that the output needs now. */
  readonly names: () => Iterable<string>;
  readonly manager: Pick<LeaseManager, 'replacedEndsMonoMs'>;
  /** Told of the generation that the application has. */
  readonly used: UsedValues;
  readonly standing: Standing;
  /** Plans a reload for `owed`, and for `settled` writing the mark. */
  readonly retry: RetryTimer;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly tracing?: Tracing | undefined;
  /** The retry is due at once, whatever the loop waits for. */
  readonly onDue: () => void;
  /**
   * The application does not do with the generation: the one before is published again, and reloaded. False: there is
   * nothing to go back to.
   */
  readonly goBack: (generation: number, why: Failure) => Promise<boolean>;
}

/**
 * Has the application of one output take up what is published: the states `owed` and `settled` of `OutputLoop`, and
 * what moves the output from the first to the second.
 */
export class TakeUp {
  readonly #deps: TakeUpDeps;
  /** How far the reload has come. */
  readonly progress: ReloadProgress;
  readonly #slot: ReloadSlot;
  /** Absent where there is no step. */
  readonly #round: ReloadRound | undefined;

  constructor(deps: TakeUpDeps) {
    const { output, place, mark, reloads, createRound, reloadShare = 0, names, manager, retry, clock, emit } = deps;
    this.#deps = deps;
    const progress = new ReloadProgress(mark, reloads, place);
    this.progress = progress;
    if (reloads.length > 0) {
      if (createRound === undefined) throw new TypeError(`${output.name}: what runs its steps was not loaded`);
      const onChanged = () => this.#reloadNow();
      this.#round = createRound({ output: output.name, progress, retry, clock, emit, onChanged });
    }
    const spreadMs = deps.reloadShare === undefined ? 0 : (output.reloadSpreadMs ?? 0);
    this.#slot = new ReloadSlot({ spreadMs, share: reloadShare, manager, clock, names });
  }

  /** Goes on where the loop before stopped. */
  follow(before: TakeUp): void {
    this.progress.follow(before.progress);
    this.#slot.follow(before.#slot);
  }

  /** The next reload is not put off: the generation that the application has is bad. */
  hurry(): void {
    this.#slot.now();
  }

  /** See `OutputLoop.reloadAgain`. */
  again(): boolean {
    const { standing } = this.#deps;
    const { state } = standing;
    if (state.kind !== 'settled' && state.kind !== 'owed') return false;
    this.progress.askAgain(state.generation);
    standing.enter({ kind: 'owed', generation: state.generation });
    this.#reloadNow();
    return true;
  }

  /** The application is to be told of a generation. @param isNew it was published a moment ago. */
  owe(generation: number, isNew: boolean): void {
    const { standing, retry } = this.#deps;
    const { state } = standing;
    // Equal bytes are no reason to hurry a reload that failed; a new generation overtakes the old one's backoff.
    const sameAgain = state.kind === 'owed' && state.generation === generation && state.why !== undefined;
    if (sameAgain) retry.failedBefore();
    else this.#plan(generation, isNew);
    if (sameAgain) standing.enter(state);
  }

  /** Tells the application of the generation that is owed, in the steps that are left for it. */
  async reload(generation: number, signal: AbortSignal): Promise<void> {
    const { tracing, output } = this.#deps;
    const run = () => this.#reload(generation, signal);
    return tracing?.within({ kind: 'reload', output: output.name, generation }, run) ?? run();
  }

  /** The application has the generation. A mark that does not say so is written again until the disk takes it. */
  async settle(generation: number): Promise<void> {
    const { output, emit, used, retry, standing } = this.#deps;
    this.stopLooking();
    retry.cancel();
    this.#slot.takenUp();
    const why = await this.progress.write();
    used.takenUp(generation);
    if (this.progress.isAskedFor) return; // `again` was called during the write
    if (why === undefined) {
      retry.succeeded();
      return standing.enter({ kind: 'settled', generation });
    }
    const retryInMs = retry.failed();
    emit({ kind: 'output-failed', output: output.name, failure: why, retryInMs });
    standing.enter({ kind: 'settled', generation, why });
  }

  /** What the last reload failed for is not looked at any more. */
  stopLooking(): void {
    this.#round?.stopLooking();
  }

  /** The application is told at once, or in the slot of this replica. */
  #plan(generation: number, isNew: boolean): void {
    const { clock, emit, output, retry, standing } = this.#deps;
    const dueMonoMs = this.#slot.dueMonoMs(isNew);
    const inMs = Math.round(dueMonoMs - clock.monoMs());
    retry.at(dueMonoMs);
    if (isNew && inMs > 0) emit({ kind: 'reload-planned', output: output.name, generation, inMs });
    standing.enter({ kind: 'owed', generation, ...(inMs > 0 ? { dueMonoMs } : {}) });
  }

  async #reload(generation: number, signal: AbortSignal): Promise<void> {
    const { standing, retry, goBack } = this.#deps;
    const result = await this.#round?.run(generation, signal);
    if (result === undefined) await this.progress.takenUp(generation);
    if (result?.kind === 'aborted') return;
    if (result?.kind === 'refuted') {
      if (await goBack(generation, result.why)) return;
      await this.#round?.failed(generation, result.step, result.why);
    }
    if (result !== undefined && 'why' in result) return standing.enter({ kind: 'owed', generation, why: result.why });
    retry.succeeded();
    await this.settle(generation);
  }

  #reloadNow(): void {
    if (this.#deps.standing.state.kind !== 'owed') return;
    this.#deps.retry.atOnce();
    this.#deps.onDue();
  }
}
