import type { Clock } from '../../base/clock.ts';
import { type Failure, failure } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import type { Staged } from '../../deliver/sink.ts';
import type { Check } from '../../reload/check.ts';
import { RetryTimer } from './retry-timer.ts';

export interface CandidateCheckDeps {
  /** Name of the output, for facts. */
  readonly output: string;
  readonly check: Check;
  readonly clock: Pick<Clock, 'monoMs'>;
  readonly random: () => number;
  readonly emit: Emit;
}

/** Has the candidates of one output checked, and says when one that failed is made and checked again. */
export class CandidateCheck {
  readonly #deps: CandidateCheckDeps;
  readonly #recheck: RetryTimer;
  /** Ends the check that runs; undefined: none does. */
  #checking: AbortController | undefined;
  #wasOvertaken = false;

  constructor(deps: CandidateCheckDeps) {
    this.#deps = deps;
    this.#recheck = new RetryTimer(deps.clock, deps.random);
  }

  /** When a candidate that failed is rendered and checked again, on the monotonic clock; infinite: none is. */
  get dueMonoMs(): number {
    return this.#recheck.dueMonoMs;
  }

  /** Whether the last check was ended since newer values had come. */
  get wasOvertaken(): boolean {
    return this.#wasOvertaken;
  }

  /** Nothing is to be checked again by itself. */
  cancel(): void {
    this.#recheck.cancel();
  }

  /** What is published is the newest: backoff begins anew. */
  succeeded(): void {
    this.#recheck.succeeded();
  }

  /** Plans another try of what was refused. */
  refused(why: Failure): void {
    const { output, emit } = this.#deps;
    const retryInMs = this.#recheck.failed();
    emit({ kind: 'output-failed', output, failure: why, retryInMs });
  }

  /** See `Publisher.overtake`. */
  overtake(): void {
    if (!this.#wasOvertaken) this.#checking?.abort();
  }

  /** Why the candidate is not to be published; it is gone then. @param signal ends the check. */
  async run(staged: Staged, signal: AbortSignal): Promise<Failure | undefined> {
    const { check, clock, output, emit } = this.#deps;
    const startedMs = clock.monoMs();
    const checking = new AbortController();
    this.#checking = checking;
    let why = await check.run(staged, AbortSignal.any([signal, checking.signal]));
    this.#checking = undefined;
    this.#wasOvertaken = why !== undefined && checking.signal.aborted;
    if (why === undefined && !(await staged.isIntact())) {
      why = failure('OUTPUT_CHECK_FAILED', check.place, 'the check has changed or removed the candidate');
    }
    const durationMs = clock.monoMs() - startedMs;
    const failed = why === undefined || this.#wasOvertaken ? {} : { failure: why };
    emit({ kind: 'output-checked', output, durationMs, ...failed });
    if (why !== undefined) await staged.discard();
    return why;
  }
}
