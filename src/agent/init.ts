import type { Failure } from '../base/errors.ts';
import type { AgentContext } from './context.ts';
import type { CreateSink } from './output/loops.ts';
import { failuresAtDeadline, type InitOutcome, outcomeOf } from './output/outcome.ts';
import { progressOf } from './output/progress.ts';
import { Pipeline, REVOKE_MS } from './pipeline.ts';
import type { Plan } from './plan.ts';

export interface InitOptions {
  readonly timeoutMs: number;
  /** Aborted when the process is told to stop. */
  readonly signal: AbortSignal;
  /** Where outputs go; absent: into their directories. */
  readonly createSink?: CreateSink;
  /** False: the logins are revoked even when all is done. */
  readonly keepLogins?: boolean;
}

/**
 * One pass of the pipeline: every output published and taken up, or the failures that prevent it. It ends when all is
 * done, when another try would change nothing, at the deadline, or when it is stopped, whichever comes first. Unless
 * all is done the logins are revoked, so that a crash-looping init container leaves no tokens behind.
 *
 * @returns no failures when all is done or when it was stopped.
 */
export async function init(
  plan: Plan,
  context: AgentContext,
  { timeoutMs, signal, createSink, keepLogins = true }: InitOptions,
): Promise<readonly Failure[]> {
  const keepsState = keepLogins && createSink === undefined;
  await using pipeline = new Pipeline(context, {
    once: true,
    keepsState,
    ...(createSink === undefined ? {} : { createSink }),
  });
  const progress = () => progressOf(plan.outputs, plan, pipeline);
  const deadline = new AbortController();
  const outcome = await new Promise<InitOutcome>((resolve, reject) => {
    let isApplied = false;
    let now: InitOutcome = { kind: 'running' };
    const check = () => {
      if (isApplied) now = outcomeOf(progress());
      if (now.kind !== 'running') resolve(now);
    };
    // While one output is not through, what becomes of another one changes nothing.
    pipeline.onProgress((output) => {
      const isOther = output !== undefined && now.kind === 'running' && ![undefined, output].includes(now.output);
      if (!isOther) check();
    });
    const stop = AbortSignal.any([signal, deadline.signal]);
    context.clock.sleep(timeoutMs, stop).then(() => resolve({ kind: 'running' }), reject);
    pipeline.apply(plan).then(() => {
      isApplied = true;
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
