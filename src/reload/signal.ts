import { type Clock, systemClock } from '../base/clock.ts';
import { type Failure, failure } from '../base/errors.ts';
import type { SignalReloadConfig } from '../config/config.ts';
import { findProcesses, noProcessNamed } from '../process/find-process.ts';
import { noProcess, readPidFile } from '../process/pid-file.ts';
import { sendSignal } from '../process/signals.ts';
import type { SupervisedChild } from '../process/supervised-child.ts';
import { createChildStep } from './child-step.ts';
import { PathLook } from './path-look.ts';
import type { ReloadAction } from './reload.ts';

/**
 * Sends a signal to the process that a pid file names at that moment, or to the process of a name. The step is done
 * when the signal was sent; what the application does with it is not known. After a failure, a change of the pid file
 * is a reason to try again at once.
 *
 * Failures: those of `readPidFile` and `findProcesses`, RELOAD_NO_PROCESS, RELOAD_NOT_PERMITTED, CANCELLED.
 */
export function createSignalReload(config: ProcessSignal, clock: Clock = systemClock): ReloadAction {
  const { name, place } = config;
  const look = 'pidFile' in config ? new PathLook(config.pidFile, clock) : undefined;
  return {
    kind: 'signal',
    place,
    ...(look === undefined ? {} : { untilChanged: (signal) => look.untilChanged(signal) }),
    async run(_generation, signal) {
      await look?.remember();
      const found = await find(config);
      if ('failure' in found) return found.failure;
      if (signal.aborted) return failure('CANCELLED', place, 'the agent stopped before the signal was sent');
      // Each process gets the signal, even when it could not be sent to another.
      const failures = found.pids.map((pid) => send(pid, name, place));
      const refused = failures.find((failed) => failed !== undefined && failed.code !== 'RELOAD_NO_PROCESS');
      if (refused !== undefined) return refused;
      if (failures.includes(undefined)) return undefined;
      return 'process' in config ? noProcessNamed(config.process, place) : failures[0];
    },
  };
}

/** A signal to a process that is found by its pid file or name. */
export type ProcessSignal = Exclude<SignalReloadConfig, { readonly child: true }>;

/** Sends a signal to the child of exec; see `createChildStep`. Failures: RELOAD_NO_HANDLER, RELOAD_NOT_PERMITTED. */
export function createChildSignal(
  name: NodeJS.Signals,
  place: string,
  output: string,
  child: SupervisedChild | undefined,
): ReloadAction {
  return createChildStep({ kind: 'signal', place }, output, child, (supervised) => supervised.signal(name, place));
}

async function find(config: ProcessSignal): ReturnType<typeof findProcesses> {
  if ('process' in config) return findProcesses(config.process, config.all, config.place);
  const found = await readPidFile(config.pidFile, config.place);
  return 'failure' in found ? found : { pids: [found.pid] };
}

function send(pid: number, name: NodeJS.Signals, place: string): Failure | undefined {
  const sent = sendSignal(pid, name);
  if (sent === 'gone') return noProcess(pid, place);
  return sent === 'sent'
    ? undefined
    : failure('RELOAD_NOT_PERMITTED', place, `Pannier may not send ${name} to process ${pid}`);
}
