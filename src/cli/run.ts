import type { Plan } from '../agent/plan.ts';
import { run } from '../agent/run.ts';
import { exitStatus, failure, formatFailure, ProblemsError } from '../base/errors.ts';
import { configSource } from './config-source.ts';
import { tell } from './print.ts';
import { warnAsProcessOne } from './process-one.ts';
import { type CommonOptions, setUp } from './setup.ts';
import { releaseStartMemory, spareMemory } from './sparing.ts';
import { listenForStop } from './stop-signals.ts';

/** `pannier run`: keeps everything fresh until it is told to stop. Returns the exit status, 0 after a stop. */
export async function runPannier(options: CommonOptions): Promise<number> {
  await using setup = await setUp('run', options);
  const { plan, context } = setup;
  refuseChild(plan);
  using stop = listenForStop();
  warnAsProcessOne(context.emit);
  process.on('SIGUSR2', () => setup.log.toggleDebug());
  stop.signal.addEventListener('abort', () => {
    context.emit({ kind: 'agent-stopping', reason: stop.received() ?? 'asked to' });
  });
  const failures = await run(plan, context, {
    signal: stop.signal,
    stop: stop.stop,
    logLevel: setup.log,
    source: configSource(options, setup, { check: refuseChild, signal: 'SIGHUP' }),
    onApplied: spareMemory,
    onStarted: releaseStartMemory,
  });
  for (const failed of failures) tell(`run: ${formatFailure(failed)}\n`);
  return failures.length === 0 ? 0 : exitStatus(failures);
}

/** @throws ProblemsError CONFIG_INVALID for each reload step with `child: true`, since `run` has no child. */
function refuseChild({ outputs }: Plan): void {
  const steps = outputs.flatMap(({ output }) => output.reload);
  const problems = steps.flatMap((step) =>
    step.kind === 'restart' || (step.kind === 'signal' && 'child' in step)
      ? [
          failure('CONFIG_INVALID', `${step.place}.${step.kind}.child`, 'run has no child', {
            hint: 'Use pannier exec.',
          }),
        ]
      : [],
  );
  if (problems.length > 0) throw new ProblemsError(problems);
}
