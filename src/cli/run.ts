import { run } from '../agent/run.ts';
import { exitStatus, failure, formatFailure } from '../base/errors.ts';
import { type CommonOptions, setUp } from './setup.ts';
import { listenForStop } from './stop-signals.ts';
import { version } from './version.ts';

/** `pannier run`: stay and keep everything fresh until told to stop. Answers the exit status, 0 after a stop. */
export async function runCommand(options: CommonOptions): Promise<number> {
  const { config, planned, around } = await setUp(options);
  using stop = listenForStop();
  const { emit } = around;
  emit({
    kind: 'agent-started',
    version,
    command: 'run',
    secrets: config.secrets.size,
    outputs: config.outputs.size,
  });
  if (process.pid === 1) {
    emit({ kind: 'agent-warning', warning: failure('AGENT_PID_ONE', 'process', 'the agent is process 1') });
  }
  process.on('SIGHUP', () => {
    const hint = 'Restart the agent to take a new configuration.';
    const warning = failure('CONFIG_NOT_SUPPORTED', 'SIGHUP', 'reading the configuration again is not yet supported', {
      hint,
    });
    emit({ kind: 'agent-warning', warning });
  });
  stop.signal.addEventListener('abort', () => emit({ kind: 'agent-stopping', reason: stop.received() ?? 'asked to' }));
  const failures = await run(config, planned, around, stop.signal);
  for (const failed of failures) process.stderr.write(`run: ${formatFailure(failed)}\n`);
  return failures.length === 0 ? 0 : exitStatus(failures);
}
