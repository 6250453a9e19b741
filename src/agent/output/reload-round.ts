import type { Clock } from '../../base/clock.ts';
import type { Failure } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import type { Reload } from '../../reload/reload.ts';
import type { ReloadProgress } from './reload-progress.ts';
import type { RetryTimer } from './retry-timer.ts';

export interface ReloadRoundDeps {
  /** Name of the output, for facts. */
  readonly output: string;
  /** How far earlier rounds came; this one goes on there. */
  readonly progress: ReloadProgress;
  /** Planned anew when a round fails. */
  readonly retry: RetryTimer;
  readonly clock: Clock;
  readonly emit: Emit;
  /** What the last round failed for has changed, so another round may succeed before the backoff is over. */
  readonly onChanged: () => void;
}

export type RoundResult =
  /** Every step is done for the generation. */
  | { readonly kind: 'done' }
  /** The signal aborted; the steps that are done stay done. */
  | { readonly kind: 'aborted' }
  | { readonly kind: 'failed'; readonly why: Failure }
  /** The application has the generation and does not do with it. Nothing is planned: see `failed`. */
  | { readonly kind: 'refuted'; readonly why: Failure; readonly step: Reload };

export const createRound = (deps: ReloadRoundDeps): ReloadRound => new ReloadRound(deps);

/** Runs the steps of a reload that are left for a generation, in order, up to the first one that fails. */
export class ReloadRound {
  readonly #deps: ReloadRoundDeps;
  /** Ends the look at what the last round failed for; undefined: there is none. */
  #looking: AbortController | undefined;

  constructor(deps: ReloadRoundDeps) {
    this.#deps = deps;
  }

  async run(generation: number, signal: AbortSignal): Promise<RoundResult> {
    const { output, progress, emit, clock } = this.#deps;
    const startedMs = clock.monoMs();
    this.stopLooking();
    for (const [number, step] of progress.left()) {
      if (signal.aborted) return { kind: 'aborted' };
      const stepMs = clock.monoMs();
      const why = await step.run(generation, signal, progress.isAskedFor);
      if (why !== undefined && signal.aborted) return { kind: 'aborted' };
      const durationMs = clock.monoMs() - stepMs;
      const failed = why === undefined ? {} : { failure: why };
      emit({ kind: 'reload-step', output, generation, step: number, how: step.kind, durationMs, ...failed });
      if (why !== undefined && step.kind === 'verify') return { kind: 'refuted', why, step };
      if (why !== undefined) return await this.failed(generation, step, why);
      await progress.stepDone(number);
    }
    await progress.takenUp(generation);
    const steps = progress.steps.length;
    if (steps > 0) {
      emit({ kind: 'reload-done', output, generation, steps, durationMs: clock.monoMs() - startedMs });
    }
    return { kind: 'done' };
  }

  /** `onChanged` is not called any more, until another round has failed. */
  stopLooking(): void {
    this.#looking?.abort();
    this.#looking = undefined;
  }

  /** A step failed: another round is planned, with backoff. */
  async failed(generation: number, step: Reload, why: Failure): Promise<RoundResult & { readonly kind: 'failed' }> {
    const { output, progress, retry, emit } = this.#deps;
    await progress.write();
    const retryInMs = retry.failed(why.retryAfterMs);
    emit({ kind: 'reload-failed', output, generation, step: step.kind, failure: why, retryInMs });
    this.#lookOut(step);
    return { kind: 'failed', why };
  }

  /** What the step failed for may change before the backoff is over, as a pid file does when the application starts. */
  #lookOut(step: Reload): void {
    const looking = new AbortController();
    this.#looking = looking;
    void step.untilChanged?.(looking.signal).then(() => {
      if (!looking.signal.aborted) this.#deps.onChanged();
    });
  }
}
