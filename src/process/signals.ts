import { constants } from 'node:os';

/** Every signal this system knows, by name. */
export const SIGNAL_NAMES: readonly NodeJS.Signals[] = Object.keys(constants.signals) as NodeJS.Signals[];

/** Whether a text is a signal's full name in upper case: `SIGHUP`, not `HUP` or `1`. */
export function isSignalName(text: string): text is NodeJS.Signals {
  return Object.hasOwn(constants.signals, text);
}

/** The exit status a shell gives for a process that a signal ended: 128 + its number. */
export function signalExitStatus(name: NodeJS.Signals): number {
  return 128 + constants.signals[name];
}

/** Whether a signal was sent: `gone` when there is no such process, `refused` when Pannier may not signal it. */
export type SignalResult = 'sent' | 'gone' | 'refused';

/** As kill(2): a negative `pid` is a process group, and signal 0 sends nothing but checks. Never throws. */
export function sendSignal(pid: number, name: NodeJS.Signals | 0): SignalResult {
  try {
    process.kill(pid, name);
    return 'sent';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH' ? 'gone' : 'refused';
  }
}
