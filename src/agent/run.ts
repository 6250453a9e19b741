import type { Clock } from '../base/clock.ts';
import { type Failure, failuresOf } from '../base/errors.ts';
import type { OutputState } from '../deliver/output-state.ts';
import { findServiceManager } from '../process/service-manager.ts';
import type { AgentContext } from './context.ts';
import type { Execution } from './execution.ts';
import { type ConfigFollower, type ConfigSource, followConfig } from './follow-config.ts';
import { REVOKE_MS } from './init.ts';
import { failuresAtDeadline } from './output/outcome.ts';
import { progressOf } from './output/progress.ts';
import { Pipeline } from './pipeline.ts';
import type { Plan } from './plan.ts';

export interface RunOptions {
  /** Aborted when the process is told to stop. */
  readonly signal: AbortSignal;
  /** Ends the agent, for those who may ask it over the API. */
  readonly stop: () => void;
  /** Where later configurations come from; absent: the first one stays. */
  readonly source?: ConfigSource;
  /** Of `exec`: its child starts when every output is published for the first time, and the agent ends with it. */
  readonly execution?: Execution;
  /** How long that first time may take to come; absent: as long as it takes. */
  readonly timeoutMs?: number;
  /** Told once, when the work of the start is done. */
  readonly onStarted?: () => void;
}

/**
 * Keeps everything fresh until `signal` aborts. A backend, secret, output or application in trouble is a state, never
 * an end: the agent must not be the reason that an application is down.
 *
 * @returns no failures after a stop; the failures when the first configuration refuses this machine (`requireTmpfs`) or
 * names a backend that cannot be opened.
 */
export async function run(
  plan: Plan,
  context: AgentContext,
  { signal, source, stop, execution, timeoutMs, onStarted = () => {} }: RunOptions,
): Promise<readonly Failure[]> {
  const reloadConfig = source === undefined ? undefined : async () => (await following?.request()) ?? [];
  let following: ConfigFollower | undefined;
  await using pipeline = new Pipeline(context, { serve: { stop, reloadConfig }, execution });
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
      // What has begun is not ended for what a later configuration asks of this machine, nor for a mount that is gone.
      if (code === 'OUTPUT_NOT_TMPFS' && !hasBegun) resolve(failuresOfOutputs(pipeline));
    });
  });
  try {
    await pipeline.apply(plan);
  } catch (error) {
    return failuresOf(error, 'run');
  }
  pipeline.secrets.startWatching();
  using _starting = whenStarted(pipeline, context.clock, onStarted);
  const tellReady = () => {
    if (signal.aborted || !areAllPublished(pipeline)) return;
    if (execution !== undefined && pipeline.outputs.areBehind()) return; // it would start only to be started anew
    hearing[Symbol.dispose]();
    hasBegun = true;
    execution?.start();
    manager?.ready();
  };
  const hearing = pipeline.onProgress(tellReady);
  tellReady();
  following = source === undefined ? undefined : followConfig({ pipeline, plan, source, signal, manager });
  const stopped = new Promise<readonly Failure[]>((resolve) => {
    if (signal.aborted) return resolve([]);
    signal.addEventListener('abort', () => resolve([]), { once: true });
  });
  const ends = [refused, stopped];
  if (execution !== undefined) ends.push(endOf(execution, { plan, pipeline, clock: context.clock, timeoutMs }));
  const failures = await Promise.race(ends);
  execution?.cancel();
  manager?.stopping();
  await following?.[Symbol.asyncDispose]();
  return failures;
}

interface Waiting {
  readonly plan: Plan;
  readonly pipeline: Pipeline;
  readonly clock: Clock;
  readonly timeoutMs: number | undefined;
}

/** Of `exec`: its child has ended, or could not be started in time. Then the logins are revoked, as `init` does. */
async function endOf(execution: Execution, { plan, pipeline, clock, timeoutMs }: Waiting): Promise<readonly Failure[]> {
  const { child } = execution;
  if (timeoutMs !== undefined) {
    const begun = new AbortController();
    void child.started.then(() => begun.abort());
    await clock.sleep(timeoutMs, begun.signal);
    if (!child.isStarted) {
      execution.cancel();
      const progress = progressOf([], plan, pipeline);
      const unpublished = new Map([...progress.outputs].filter(([, state]) => !isPublished(state)));
      const failures = failuresAtDeadline({ ...progress, outputs: unpublished });
      await pipeline.revokeLogins(AbortSignal.timeout(REVOKE_MS));
      return failures;
    }
  }
  const { failure } = await execution.over;
  return failure === undefined ? [] : [failure];
}

/** A start that has no end (a secret that nobody has) is over after a minute. */
const START_LOOKS = 12;
const START_LOOK_MS = 5_000;

function whenStarted(pipeline: Pipeline, clock: Clock, started: () => void): Disposable {
  let looks = 0;
  const look = () => {
    if (++looks === START_LOOKS || !isStarting(pipeline)) started();
    else cancel = clock.after(START_LOOK_MS, look);
  };
  let cancel = clock.after(START_LOOK_MS, look);
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

/** The files are there; telling the application may still be owed. */
const isPublished = ({ kind }: OutputState): boolean => kind === 'settled' || kind === 'owed';
