import { readFile } from 'node:fs/promises';
import { constants } from 'node:os';

/** Signals that do nothing to a process without a handler, signal(7). */
const HARMLESS: ReadonlySet<string> = new Set(['SIGCHLD', 'SIGCONT', 'SIGURG', 'SIGWINCH']);

/**
 * Whether a signal would end or stop a process, because the process neither handles, ignores nor blocks it: an
 * application that has just started may have no handler yet. A blocked signal counts as handled, since the process may
 * wait for it (sigwaitinfo, signalfd), although a shell blocks all signals for an instant when it starts a program.
 * False where this cannot be read (not on Linux, no such process).
 */
export async function wouldEnd(pid: number, name: NodeJS.Signals): Promise<boolean> {
  if (HARMLESS.has(name)) return false;
  try {
    return isUnhandled(await readFile(`/proc/${pid}/status`, 'latin1'), constants.signals[name]);
  } catch {
    return false;
  }
}

/** Pure: whether the text of `/proc/PID/status` has this signal in none of its three masks; false without masks. */
export function isUnhandled(status: string, signal: number): boolean {
  const masks = [...status.matchAll(/^Sig(?:Blk|Ign|Cgt):\t([0-9a-f]{16})$/gm)].map(([, hex]) => BigInt(`0x${hex}`));
  return masks.length === 3 && masks.every((mask) => ((mask >> BigInt(signal - 1)) & 1n) === 0n);
}
