import { constants } from 'node:os';

/** Every signal this system knows, by name. */
export const SIGNAL_NAMES: readonly NodeJS.Signals[] = Object.keys(constants.signals) as NodeJS.Signals[];

/** Whether text is a signal's full name in upper case: `SIGHUP`, not `HUP` or `1`. */
export function isSignalName(text: string): text is NodeJS.Signals {
  return Object.hasOwn(constants.signals, text);
}

/** The exit status a shell gives for a process that a signal ended: 128 + its number. */
export function signalExitStatus(name: NodeJS.Signals): number {
  return 128 + constants.signals[name];
}
