import type { Failure } from '../base/errors.ts';
import type { AgentContext } from './context.ts';
import type { CreateSink } from './output/loops.ts';
import { failuresAtDeadline, type InitOutcome, outcomeOf } from './output/outcome.ts';
import { progressOf } from './output/progress.ts';
import { Pipeline } from './pipeline.ts';
import type { Plan } from './plan.ts';

export interface InitOptions {
  readonly timeoutMs: number;
  /** Aborted when the process is told to stop. */
  readonly signal: AbortSignal;
  /** Where outputs go; their directories when absent. */
  readonly createSink?: CreateSink;
  /** False: the logins are revoked also when all is done. */
  readonly keepLogins?: boolean;
}

/** A failed or stopped `init` gives its login back within this long. */
export const REVOKE_MS = 2_000;

/**
 * One pass of the pipeline: every output published and taken up, or the failures that prevent it. Ends at the first
 * of: all done, nothing more to hope for, the deadline, a stop. Unless all is done the logins are revoked, so that a
 * crash-looping init container leaves no tokens behind.
 *
 * @returns no failures when all is done or when it was stopped.
 */
export async function init(
  plan: Plan,
  context: AgentContext,
  { timeoutMs, signal, createSink, keepLogins = true }: InitOptions,
): Promise<readonly Failure[]> {
  await using pipeline = new Pipeline(context, { once: true, ...(createSink === undefined ? {} : { createSink }) });
  const progress = () => progressOf(plan.outputs, plan, pipeline);
  const deadline = new AbortController();
  const outcome = await new Promise<InitOutcome>((resolve, reject) => {
    let applied = false;
    const check = () => {
      const now: InitOutcome = applied ? outcomeOf(progress()) : { kind: 'running' };
      if (now.kind !== 'running') resolve(now);
    };
    pipeline.onProgress(check);
    const stop = AbortSignal.any([signal, deadline.signal]);
    context.clock.sleep(timeoutMs, stop).then(() => resolve({ kind: 'running' }), reject);
    pipeline.apply(plan).then(() => {
      applied = true;
      check();
    }, reject);
  });
  deadline.abort();
  const isDone = outcome.kind === 'done';
  if (isDone && keepLogins) return [];
  const failures = isDone ? [] : outcome.kind === 'failed' ? outcome.failures : failuresAtDeadline(progress());
  await pipeline.revokeLogins(AbortSignal.timeout(REVOKE_MS));
  return signal.aborted ? [] : failures;
}
