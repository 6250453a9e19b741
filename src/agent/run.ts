import type { Failure } from '../base/errors.ts';
import type { Config } from '../config/config.ts';
import { Pipeline } from './pipeline.ts';
import type { PlannedOutput } from './plan.ts';
import type { Surroundings } from './registry.ts';

/**
 * Keeps everything fresh until `signal` aborts. A backend, secret, output or application in trouble is a state, never
 * an end: the agent must not be the reason that an application is down.
 *
 * @returns no failures after a stop; the failures when the configuration refuses this machine (`requireTmpfs`).
 */
export async function run(
  config: Config,
  planned: readonly PlannedOutput[],
  around: Surroundings,
  signal: AbortSignal,
): Promise<readonly Failure[]> {
  await using pipeline = new Pipeline(config, planned, around);
  const refused = new Promise<readonly Failure[]>((resolve) => {
    pipeline.onProgress(() => {
      const failures = [...pipeline.outputs().values()].flatMap((state) =>
        state.kind === 'failed' ? [state.why] : [],
      );
      if (failures.some(({ code }) => code === 'OUTPUT_NOT_TMPFS')) resolve(failures);
    });
  });
  await pipeline.start({ stay: true });
  const stopped = new Promise<readonly Failure[]>((resolve) => {
    if (signal.aborted) return resolve([]);
    signal.addEventListener('abort', () => resolve([]), { once: true });
  });
  // Awaited here: a returned promise would dispose of the pipeline at once.
  return await Promise.race([refused, stopped]);
}
