import { readFile } from 'node:fs/promises';

/**
 * Ticks per second of the times in /proc. It is USER_HZ, part of the kernel's interface and 100 on every architecture
 * that Node runs on, whatever the kernel's own HZ: `getconf CLK_TCK`, proc_pid_stat(5).
 */
const TICKS_PER_SECOND = 100;

/** Fields 3, 4, 5 and 22 of `/proc/PID/stat`. */
export interface ProcStat {
  /** One letter: `R`, `S`, … `Z` a zombie. */
  readonly state: string;
  /** Process id of the parent. */
  readonly parent: number;
  /** Process group. */
  readonly group: number;
  /** Start in clock ticks after boot. */
  readonly startTicks: number;
}

/**
 * Parses the text of `/proc/PID/stat`. Field 2 is the command's name in brackets and may itself hold spaces and
 * brackets (`a) S 1 (b`), so fields are counted after the last `)`. Undefined when the text has another form.
 */
export function parseProcStat(text: string): ProcStat | undefined {
  const fields = text
    .slice(text.lastIndexOf(')') + 1)
    .trim()
    .split(/\s+/);
  const [state] = fields;
  const parent = Number(fields[4 - 3]);
  const group = Number(fields[5 - 3]);
  const startTicks = Number(fields[22 - 3]);
  return state !== undefined && Number.isSafeInteger(startTicks) ? { state, parent, group, startTicks } : undefined;
}

/**
 * When a process started, in milliseconds since the epoch. At most 1.01 s too early, never too late: the kernel gives
 * both the time of boot (whole seconds) and the start since then (ticks) rounded down.
 */
export function startedAtMs(startTicks: number, bootSeconds: number): number {
  return (bootSeconds + startTicks / TICKS_PER_SECOND) * 1000;
}

/** Undefined when there is no such process, or it is hidden from Pannier (`hidepid`). */
export async function readProcStat(pid: number): Promise<ProcStat | undefined> {
  try {
    return parseProcStat(await readFile(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return undefined;
  }
}

/**
 * Real and effective user of a process. Undefined when there is no such process, or it is hidden from Pannier. The
 * owner of `/proc/PID` is something else: root, for a process that gave up root.
 */
export async function readProcUsers(pid: number): Promise<readonly number[] | undefined> {
  try {
    const line = /^Uid:\t(\d+)\t(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'latin1'));
    return line === null ? undefined : [Number(line[1]), Number(line[2])];
  } catch {
    return undefined;
  }
}

/** The time of boot by the present wall clock, `btime` of `/proc/stat`. Undefined when it cannot be read. */
export async function readBootSeconds(): Promise<number | undefined> {
  try {
    const line = /^btime (\d+)$/m.exec(await readFile('/proc/stat', 'latin1'));
    return line === null ? undefined : Number(line[1]);
  } catch {
    return undefined;
  }
}
