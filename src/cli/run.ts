import type { ConfigSource } from '../agent/follow-config.ts';
import { run } from '../agent/run.ts';
import { isSamePlainData } from '../agent/same.ts';
import { exitStatus, failure, formatFailure } from '../base/errors.ts';
import { type CommonOptions, loadPlan, type Setup, setUp } from './setup.ts';
import { listenForStop } from './stop-signals.ts';

/** `pannier run`: stay and keep everything fresh until told to stop. Answers the exit status, 0 after a stop. */
export async function runCommand(options: CommonOptions): Promise<number> {
  const setup = await setUp('run', options);
  const { plan, around } = setup;
  using stop = listenForStop();
  if (process.pid === 1) {
    around.emit({ kind: 'agent-warning', warning: failure('AGENT_PID_ONE', 'process', 'the agent is process 1') });
  }
  stop.signal.addEventListener('abort', () => {
    around.emit({ kind: 'agent-stopping', reason: stop.received() ?? 'asked to' });
  });
  const failures = await run(plan, around, {
    signal: stop.signal,
    stop: stop.stop,
    source: configSource(options, setup),
  });
  for (const failed of failures) process.stderr.write(`run: ${formatFailure(failed)}\n`);
  return failures.length === 0 ? 0 : exitStatus(failures);
}

/** The files of the command line, read again when they change or on SIGHUP. */
function configSource(options: CommonOptions, { log, plan }: Setup): ConfigSource {
  let applied = plan.config.log;
  return {
    load: () => loadPlan(options),
    onAsked(asked) {
      // A rotated file is let go of also when the configuration turns out to be bad.
      const heard = () => {
        void log.reopen();
        asked();
      };
      process.on('SIGHUP', heard);
      return { [Symbol.dispose]: () => void process.off('SIGHUP', heard) };
    },
    async onApplied({ config }) {
      if (!isSamePlainData(applied, config.log)) await log.reopen(config.log);
      applied = config.log;
    },
  };
}
