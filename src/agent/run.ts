import type { Clock } from '../base/clock.ts';
import { type Failure, failuresOf } from '../base/errors.ts';
import type { LevelControl } from '../base/log-level.ts';
import type { OutputState } from '../deliver/output-state.ts';
import { createWatches } from '../lease/watches.ts';
import { findServiceManager } from '../process/service-manager.ts';
import type { AgentContext } from './context.ts';
import type { Execution } from './execution.ts';
import { type ConfigFollower, type ConfigSource, followConfig } from './follow-config.ts';
import { failuresAtDeadline } from './output/outcome.ts';
import { progressOf } from './output/progress.ts';
import { Pipeline, REVOKE_MS } from './pipeline.ts';
import type { Plan } from './plan.ts';

export interface RunOptions {
  /** Aborted when the process is told to stop. */
  readonly signal: AbortSignal;
  /** Ends the agent; the API calls it for a client that may ask for that. */
  readonly stop: () => void;
  /** Where later configurations come from; absent: the first one stays. */
  readonly source?: ConfigSource;
  /**
   * Of `exec`: its child starts when every output is published for the first time, and the agent ends with the child.
   */
  readonly execution?: Execution;
  /** The level of the log, which the API may change. */
  readonly logLevel?: LevelControl;
  /** How long publishing every output for the first time may take; absent: without limit. */
  readonly timeoutMs?: number;
  /** Called once, when the first configuration is in place and the code that it needs is loaded. */
  readonly onApplied?: () => void;
  /** Called once, when the work of the start is done. */
  readonly onStarted?: () => void;
}

/**
 * Keeps everything fresh until `signal` aborts. A backend, secret, output or application in trouble is a state and does
 * not end the agent: the agent must not be the reason that an application is down.
 *
 * @returns no failures after a stop; the failures when the first configuration refuses this machine (`requireTmpfs`) or
 * names a backend that cannot be opened.
 */
export async function run(
  plan: Plan,
  context: AgentContext,
  { signal, source, stop, execution, logLevel, timeoutMs, onApplied, onStarted = () => {} }: RunOptions,
): Promise<readonly Failure[]> {
  const reloadConfig = source === undefined ? undefined : async () => (await follower?.request()) ?? [];
  let follower: ConfigFollower | undefined;
  await using pipeline = new Pipeline(context, {
    serve: { stop, reloadConfig, logLevel },
    execution,
    keepsState: true,
  });
  await using manager = findServiceManager({
    env: context.env,
    clock: context.clock,
    isAlive: (withinMs) => pipeline.secrets.lateMs() < withinMs,
    warn: (warning) => context.emit({ kind: 'agent-warning', warning }),
  });
  let hasBegun = false;
  const refused = new Promise<readonly Failure[]>((resolve) => {
    pipeline.onProgress((output = '') => {
      const state = pipeline.outputs.states().get(output);
      const code = state?.kind === 'failed' ? state.why.code : undefined;
      // Later the agent goes on: no new configuration ends it, nor an unmounted tmpfs.
      if ((code === 'OUTPUT_NOT_TMPFS' || code === 'OUTPUT_IN_USE') && !hasBegun) resolve(failuresOfOutputs(pipeline));
    });
  });
  try {
    await pipeline.apply(plan);
  } catch (error) {
    return failuresOf(error, 'run');
  }
  onApplied?.();
  pipeline.secrets.startWatching(createWatches);
  using _starting = whenStarted(pipeline, context.clock, onStarted);
  const beginWhenPublished = () => {
    if (signal.aborted || !areAllPublished(pipeline)) return;
    if (execution !== undefined && pipeline.outputs.areBehind()) return; // the child would start only to be restarted
    subscription[Symbol.dispose]();
    hasBegun = true;
    execution?.start();
    manager?.ready();
  };
  const subscription = pipeline.onProgress(beginWhenPublished);
  beginWhenPublished();
  follower = source === undefined ? undefined : followConfig({ pipeline, plan, source, signal, manager });
  const stopped = new Promise<readonly Failure[]>((resolve) => {
    if (signal.aborted) return resolve([]);
    signal.addEventListener('abort', () => resolve([]), { once: true });
  });
  const ends = [refused, stopped];
  if (execution !== undefined) ends.push(endOf(execution, { plan, pipeline, clock: context.clock, timeoutMs }));
  const failures = await Promise.race(ends);
  execution?.cancel();
  manager?.stopping();
  await follower?.[Symbol.asyncDispose]();
  return failures;
}

interface ExecDeps {
  readonly plan: Plan;
  readonly pipeline: Pipeline;
  readonly clock: Clock;
  readonly timeoutMs: number | undefined;
}

/**
 * Resolves when the child of `exec` has ended and the credentials that end with it are revoked, or when the child was
 * not started in time. In the second case the logins are revoked, as `init` does.
 */
async function endOf(
  execution: Execution,
  { plan, pipeline, clock, timeoutMs }: ExecDeps,
): Promise<readonly Failure[]> {
  const { child } = execution;
  if (timeoutMs !== undefined) {
    const started = new AbortController();
    void child.started.then(() => started.abort());
    await clock.sleep(timeoutMs, started.signal);
    if (!child.isStarted) {
      execution.cancel();
      const progress = progressOf([], plan, pipeline);
      const unpublished = new Map([...progress.outputs].filter(([, state]) => !isPublished(state)));
      const failures = failuresAtDeadline({ ...progress, outputs: unpublished });
      await pipeline.revokeLogins(AbortSignal.timeout(REVOKE_MS));
      return failures;
    }
  }
  const { failure } = await execution.ended;
  await pipeline.endCredentials(); // before listeners and outputs end: nothing of the child is left to use them
  return failure === undefined ? [] : [failure];
}

/** How often the start is checked. A start that does not end, as some secret gets no answer, is over after a minute. */
const MAX_START_CHECKS = 12;
const START_CHECK_MS = 5_000;

/** Calls `onStarted` once when the start is over, unless disposed before. */
function whenStarted(pipeline: Pipeline, clock: Clock, onStarted: () => void): Disposable {
  let checks = 0;
  const check = () => {
    if (++checks === MAX_START_CHECKS || !isStarting(pipeline)) onStarted();
    else cancel = clock.after(START_CHECK_MS, check);
  };
  let cancel = clock.after(START_CHECK_MS, check);
  return { [Symbol.dispose]: () => cancel() };
}

/** Whether the first answer for some secret is still to come. */
function isStarting({ secrets }: Pipeline): boolean {
  for (const name of secrets.names()) if (secrets.isAwaited(name)) return true;
  return false;
}

function areAllPublished(pipeline: Pipeline): boolean {
  for (const state of pipeline.outputs.states().values()) if (!isPublished(state)) return false;
  return true;
}

function failuresOfOutputs(pipeline: Pipeline): readonly Failure[] {
  return [...pipeline.outputs.states().values()].flatMap((state) => (state.kind === 'failed' ? [state.why] : []));
}

/** The files are there; the reload may still be owed. */
const isPublished = ({ kind }: OutputState): boolean => kind === 'settled' || kind === 'owed';
