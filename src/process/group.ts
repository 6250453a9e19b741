import { readdir } from 'node:fs/promises';
import { readProcStat } from './proc-stat.ts';
import { type SignalResult, sendSignal } from './signals.ts';

/** Signals every process of a group. `refused` when Pannier may signal none of them. */
export function signalGroup(group: number, name: NodeJS.Signals): SignalResult {
  return sendSignal(-group, name);
}

/**
 * Whether any process of a group still runs. Zombies do not count: process 1 reaps orphans, and when Pannier is process
 * 1 they are never reaped, as Node reaps its own children only. True when this is not known (there is no /proc).
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
