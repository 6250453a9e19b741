import { readFile } from 'node:fs/promises';
import { constants } from 'node:os';

/** Nothing happens when a process has no handler for these, signal(7). */
const HARMLESS: ReadonlySet<string> = new Set(['SIGCHLD', 'SIGCONT', 'SIGURG', 'SIGWINCH']);

/**
 * Whether a signal would end or stop a process because it neither handles, ignores nor blocks it: an application that
 * has just started has set up no handler yet. One that blocks it may wait for it (sigwaitinfo, signalfd), so that
 * counts as handled, although a shell blocks everything for an instant when it starts a program. False where it cannot
 * be told (not Linux, no such process).
 */
export async function wouldEnd(pid: number, name: NodeJS.Signals): Promise<boolean> {
  if (HARMLESS.has(name)) return false;
  try {
    return isUnhandled(await readFile(`/proc/${pid}/status`, 'latin1'), constants.signals[name]);
  } catch {
    return false;
  }
}

/** Pure: whether `/proc/PID/status` says that of a signal's number; false when it does not have the masks. */
export function isUnhandled(status: string, signal: number): boolean {
  const masks = [...status.matchAll(/^Sig(?:Blk|Ign|Cgt):\t([0-9a-f]{16})$/gm)].map(([, hex]) => BigInt(`0x${hex}`));
  return masks.length === 3 && masks.every((mask) => ((mask >> BigInt(signal - 1)) & 1n) === 0n);
}
