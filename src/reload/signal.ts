import { type Failure, failure } from '../base/errors.ts';
import type { ReloadConfig } from '../config/config.ts';
import { noProcess, readPidFile } from '../process/pid-file.ts';
import type { Reload } from './reload.ts';

type SignalConfig = Extract<ReloadConfig, { kind: 'signal' }>;

/**
 * Sends a signal to the process that a pid file names at that moment. That the signal was sent is all it tells: what
 * the application made of it is not known.
 *
 * Failures: those of `readPidFile`, RELOAD_NO_PROCESS, RELOAD_NOT_PERMITTED, CANCELLED.
 */
export function createSignalReload({ name, pidFile, place }: SignalConfig): Reload {
  return {
    kind: 'signal',
    place,
    async run(_generation, signal) {
      const found = await readPidFile(pidFile, place);
      if ('failure' in found) return found.failure;
      if (signal.aborted) return failure('CANCELLED', place, 'ended before the signal was sent');
      return send(found.pid, name, place);
    },
  };
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
