import { readdir, readFile } from 'node:fs/promises';

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

/** What a process did so far. */
export interface Activity {
  /** Time on a processor of all its threads; exact, where `cpuMs` counts in hundredths of a second. */
  readonly cpuMs: number;
  /** How often its main thread, which runs the event loop, waited for something: each wait ends in a wake-up. */
  readonly waits: number;
}

/** See proc_pid_schedstat and proc_pid_status(5). */
export async function activityOf(pid: number): Promise<Activity> {
  const threads = (await readdir(`/proc/${pid}/task`)).map((id) => `/proc/${pid}/task/${id}`);
  const texts = await Promise.all(threads.map((thread) => readFile(`${thread}/schedstat`, 'utf8').catch(() => '0')));
  const cpuNs = texts.reduce((sum, text) => sum + Number.parseInt(text, 10), 0);
  const status = await readFile(`/proc/${pid}/task/${pid}/status`, 'utf8');
  return { cpuMs: cpuNs / 1e6, waits: Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1]) };
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
