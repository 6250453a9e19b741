import { type Failure, failure } from '../base/errors.ts';
import type { SignalReloadConfig } from '../config/config.ts';
import { findProcesses, noneOf } from '../process/find-process.ts';
import { noProcess, readPidFile } from '../process/pid-file.ts';
import type { Reload } from './reload.ts';

/**
 * Sends a signal to the process that a pid file names at that moment, or to the process of a name. That the signal was
 * sent is all it tells: what the application made of it is not known.
 *
 * Failures: those of `readPidFile` and `findProcesses`, RELOAD_NO_PROCESS, RELOAD_NOT_PERMITTED, CANCELLED.
 */
export function createSignalReload(config: SignalReloadConfig): Reload {
  const { name, place } = config;
  return {
    kind: 'signal',
    place,
    async run(_generation, signal) {
      const found = await find(config);
      if ('failure' in found) return found.failure;
      if (signal.aborted) return failure('CANCELLED', place, 'ended before the signal was sent');
      // All of them get it, whatever becomes of the first.
      const failures = found.pids.map((pid) => send(pid, name, place));
      const refused = failures.find((failed) => failed !== undefined && failed.code !== 'RELOAD_NO_PROCESS');
      if (refused !== undefined) return refused;
      if (failures.includes(undefined)) return undefined;
      return 'process' in config ? noneOf(config.process, place) : failures[0];
    },
  };
}

async function find(config: SignalReloadConfig): ReturnType<typeof findProcesses> {
  if ('process' in config) return findProcesses(config.process, config.all, config.place);
  const found = await readPidFile(config.pidFile, config.place);
  return 'failure' in found ? found : { pids: [found.pid] };
}

function send(pid: number, name: NodeJS.Signals, place: string): Failure | undefined {
  try {
    process.kill(pid, name);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') return noProcess(pid, place);
    if (code === 'EPERM') return failure('RELOAD_NOT_PERMITTED', place, `process ${pid} may not be sent ${name}`);
    return failure('INTERNAL', place, `cannot send ${name} to process ${pid}`);
  }
}
