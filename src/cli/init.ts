import { init } from '../agent/init.ts';
import { exitStatus, formatFailure } from '../base/errors.ts';
import { type CommonOptions, setUp } from './setup.ts';
import { exitStatusOf, listenForStop } from './stop-signals.ts';

export interface InitCommandOptions extends CommonOptions {
  readonly timeoutMs: number;
}

/** `pannier init`: fetch once, publish, exit. Returns the exit status. */
export async function initCommand(options: InitCommandOptions): Promise<number> {
  const { plan, context } = await setUp('init', options);
  using stop = listenForStop();
  const failures = await init(plan, context, { timeoutMs: options.timeoutMs, signal: stop.signal });
  const received = stop.received();
  if (received !== undefined) return exitStatusOf(received);
  for (const failed of failures) process.stderr.write(`init: ${formatFailure(failed)}\n`);
  return failures.length === 0 ? 0 : exitStatus(failures);
}
