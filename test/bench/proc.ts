import { readFile } from 'node:fs/promises';

/** User and system time of a process so far; Linux counts in hundredths of a second (proc_pid_stat(5)). */
export async function cpuMs(pid: number | 'self', withChildren = false): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const ticks = fields.slice(14 - 3, withChildren ? 18 - 3 : 16 - 3).reduce((sum, one) => sum + one, 0);
  return ticks * 10;
}

export async function residentMiB(pid: number): Promise<number> {
  const [, kiB] = /^VmRSS:\s+(\d+) kB/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kiB) / 1024;
}

/**
 * Processor time that all processes of the machine took so far, and what others took from it (steal), in milliseconds.
 */
export async function machineCpuMs(): Promise<number> {
  const [line = ''] = (await readFile('/proc/stat', 'utf8')).split('\n', 1);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line.split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq + steal) * 10;
}
