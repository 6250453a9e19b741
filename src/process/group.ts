import { readdir } from 'node:fs/promises';
import { readProcStat } from './proc-stat.ts';
import { type SignalResult, sendSignal } from './signals.ts';

/** Signals every process of a group. `refused` when we may signal none of them. */
export function signalGroup(group: number, name: NodeJS.Signals): SignalResult {
  return sendSignal(-group, name);
}

/**
 * Whether anything of a group still runs. Zombies do not count: an orphan's is reaped by process 1, and where that is
 * ourselves by nobody, as Node reaps its own children only.
 */
export async function isGroupLeft(group: number): Promise<boolean> {
  if (sendSignal(-group, 0) === 'gone') return false;
  let names: readonly string[];
  try {
    names = await readdir('/proc');
  } catch {
    return true;
  }
  const stats = await Promise.all(names.filter((name) => /^\d+$/.test(name)).map((pid) => readProcStat(Number(pid))));
  return stats.some((stat) => stat?.group === group && stat.state !== 'Z' && stat.state !== 'X');
}
