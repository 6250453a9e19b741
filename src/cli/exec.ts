import { Execution } from '../agent/execution.ts';
import type { Plan } from '../agent/plan.ts';
import { run } from '../agent/run.ts';
import { exitStatus, fail, formatFailure } from '../base/errors.ts';
import { configSource } from './config-source.ts';
import { forwardSignals } from './forward-signals.ts';
import { tell } from './print.ts';
import { warnAsProcessOne } from './process-one.ts';
import { type CommonOptions, setUp } from './setup.ts';
import { releaseStartMemory, spareMemory } from './sparing.ts';
import { endInTime, exitStatusOf } from './stop-signals.ts';

export interface ExecCommandOptions extends CommonOptions {
  /** The words after `--`. Empty: `exec.command` of the configuration. */
  readonly command: readonly string[];
  /** How long the child's first start may wait for its secrets; absent: no limit. */
  readonly timeoutMs?: number;
}

/**
 * `pannier exec`: `run` with the application as its child. Returns the child's own status, 128+n when a signal ended
 * it, 127 or 126 when it could not be started. When no child was started, the status is the one of `init`.
 */
export async function execCommand(options: ExecCommandOptions): Promise<number> {
  const { command, timeoutMs } = options;
  await using setup = await setUp('exec', options);
  const { plan, context } = setup;
  const check = (next: Plan) => checkCommand(command, next);
  check(plan);
  warnAsProcessOne(context.emit);

  // On a terminal the child stays in our group: in its own session it could not open /dev/tty or get Ctrl-C. The
  // streams are asked by number, because opening process.stdin would make it non-blocking for the child too.
  const { isatty } = process.getBuiltinModule('node:tty');
  const onTerminal = [0, 1, 2].some((stream) => isatty(stream));
  const execution = new Execution({ context, argv: command, ownGroup: !onTerminal });
  using signals = forwardSignals(execution.child, { onTerminal, emit: context.emit });
  process.once('exit', () => execution.child.abandon());
  void execution.ended.then(({ status }) => {
    signals.childEnded(status);
    endInTime(status);
  });
  const failures = await run(plan, context, {
    signal: signals.stop,
    stop: () => signals.receive('SIGTERM'),
    source: configSource(options, setup, { check }),
    onApplied: spareMemory,
    onStarted: releaseStartMemory,
    execution,
    logLevel: setup.log,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  for (const failed of failures) tell(`exec: ${formatFailure(failed)}\n`);
  if (execution.child.isStarted) return (await execution.ended).status;
  if (failures.length > 0) return exitStatus(failures);
  return exitStatusOf(signals.received() ?? 'SIGTERM');
}

/** @throws PannierError CONFIG_MISSING when neither the command line nor the configuration names a command. */
function checkCommand(command: readonly string[], { config }: Plan): void {
  if (command.length > 0 || config.exec.command !== undefined) return;
  const hint = 'Write the command after --, or set exec.command.';
  throw fail('CONFIG_MISSING', 'exec.command', 'absent, and no command is on the command line', { hint });
}
