import { type Failure, failuresOf } from '../base/errors.ts';
import { findServiceManager } from '../process/service-manager.ts';
import { type ConfigFollower, type ConfigSource, followConfig } from './follow-config.ts';
import type { OutputState } from './output-loop.ts';
import { Pipeline } from './pipeline.ts';
import type { Plan } from './plan.ts';
import type { Surroundings } from './surroundings.ts';

export interface RunOptions {
  /** Aborted when the process is told to stop. */
  readonly signal: AbortSignal;
  /** Ends the agent, for those who may ask it over the API. */
  readonly stop: () => void;
  /** Where later configurations come from; absent: the first one stays. */
  readonly source?: ConfigSource;
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
  around: Surroundings,
  { signal, source, stop }: RunOptions,
): Promise<readonly Failure[]> {
  const reloadConfig = source === undefined ? undefined : () => following?.request();
  let following: ConfigFollower | undefined;
  await using pipeline = new Pipeline(around, { serve: { stop, reloadConfig } });
  await using manager = findServiceManager({
    env: around.env,
    clock: around.clock,
    isAlive: (withinMs) => pipeline.lateMs() < withinMs,
    warn: (warning) => around.emit({ kind: 'agent-warning', warning }),
  });
  const refused = new Promise<readonly Failure[]>((resolve) => {
    pipeline.onProgress(() => {
      const states = [...pipeline.outputs().values()];
      const failures = states.flatMap((state) => (state.kind === 'failed' ? [state.why] : []));
      if (failures.some(({ code }) => code === 'OUTPUT_NOT_TMPFS')) resolve(failures);
    });
  });
  try {
    await pipeline.apply(plan);
  } catch (error) {
    return failuresOf(error, 'run');
  }
  pipeline.startWatching();
  const tellReady = () => {
    if ([...pipeline.outputs().values()].every(isPublished)) manager?.ready();
  };
  pipeline.onProgress(tellReady);
  tellReady();
  following = source === undefined ? undefined : followConfig({ pipeline, plan, source, around, signal, manager });
  const stopped = new Promise<readonly Failure[]>((resolve) => {
    if (signal.aborted) return resolve([]);
    signal.addEventListener('abort', () => resolve([]), { once: true });
  });
  const failures = await Promise.race([refused, stopped]);
  manager?.stopping();
  await following?.[Symbol.asyncDispose]();
  return failures;
}

/** The files are there; telling the application may still be owed. */
const isPublished = ({ kind }: OutputState): boolean => kind === 'settled' || kind === 'owed';
