import { constants, type Stats } from 'node:fs';
import { errnoWord } from '../base/errno.ts';
import { type Failure, failure } from '../base/errors.ts';
import { fileCall } from '../base/file-call.ts';
import { ForeignLinkError, isOwn } from '../base/held-folder.ts';
import { openTrusted } from '../base/open-trusted.ts';
import { readBootSeconds, readProcStat, readProcUsers, startedAtMs } from './proc-stat.ts';

/**
 * How much later than its pid file a process may seem to have started and still be the one that the file names.
 *
 * An application starts and then writes the file, and the start time that is read from /proc is never late, so with a
 * steady clock zero would do. But that start time moves with the wall clock while the file's time stays: a leap second,
 * or the truncation of `btime` when a correction carries the boot over a full second, is 1 s; clock daemons step by
 * less than that in normal running. 2 s covers these. A pid that is reused within 2 s (3 s with the rounding) after the
 * file was written is not noticed: pids are given in order, so the whole range would have to be used up in that time.
 * When the clock is set forward by more, the right process is refused, which is reported and does no harm.
 */
export const START_TOLERANCE_MS = 2000;

/** How much of the file is read; a number with white space is shorter. */
const MAX_BYTES = 64;
const MAX_PID = 2 ** 31 - 1;

/** The process that a pid file names, or why it may not be signalled. */
export type PidFileProcess = { readonly pid: number } | { readonly failure: Failure };

/**
 * Reads which process a pid file names, anew at each call, as the application may restart at any time.
 *
 * Refused: a file that does not hold one plain decimal number (white space around it is fine), a pid of 1 or less (0
 * and negative numbers mean process groups), and Pannier's own pid. On Linux also refused: a process that started after
 * the file was written, as its pid was reused; a file of another user that names a process which is not that user's;
 * and a link that another user can exchange.
 *
 * Between this call and a signal the process may still end and its pid be reused. Node has no pidfd to close that
 * window, which is as short as a system call.
 *
 * Never throws. Failures: RELOAD_PID_FILE, RELOAD_PID_REFUSED, RELOAD_PID_REUSED, RELOAD_NO_PROCESS (also for a
 * zombie), RELOAD_NOT_PERMITTED (the process is hidden from Pannier, so it is not known when it started).
 */
export async function readPidFile(path: string, place: string): Promise<PidFileProcess> {
  const file = await readStart(path);
  if ('seen' in file) return { failure: failure('RELOAD_PID_FILE', place, `pid file ${path} ${file.seen}`) };
  const text = file.text.trim();
  if (text === '') return { failure: failure('RELOAD_PID_FILE', place, `pid file ${path} is empty`) };
  if (!/^-?\d+$/.test(text) || Number(text) > MAX_PID || file.text.length === MAX_BYTES) {
    return { failure: failure('RELOAD_PID_FILE', place, `pid file ${path} does not hold one plain number`) };
  }
  const pid = Number(text);
  if (pid <= 1) return { failure: failure('RELOAD_PID_REFUSED', place, `pid ${pid} in ${path} is never signalled`) };
  if (pid === process.pid) {
    return { failure: failure('RELOAD_PID_REFUSED', place, `pid ${pid} in ${path} is Pannier itself`) };
  }
  if (process.platform !== 'linux') return { pid };
  return checkProcess(pid, file.stats, path, place);
}

/** Whether a process started too late to be the one that the file was written for. */
export function isYounger(startTicks: number, bootSeconds: number, fileMtimeMs: number): boolean {
  return startedAtMs(startTicks, bootSeconds) > fileMtimeMs + START_TOLERANCE_MS;
}

async function checkProcess(
  pid: number,
  { mtimeMs, uid }: Stats,
  path: string,
  place: string,
): Promise<PidFileProcess> {
  const [stat, users, bootSeconds] = await Promise.all([readProcStat(pid), readProcUsers(pid), readBootSeconds()]);
  if (stat === undefined || bootSeconds === undefined) {
    return isRunning(pid)
      ? {
          failure: failure('RELOAD_NOT_PERMITTED', place, `the start time of process ${pid} cannot be read from /proc`),
        }
      : { failure: noProcess(pid, place) };
  }
  if (stat.state === 'Z' || stat.state === 'X') return { failure: noProcess(pid, place) };
  // Otherwise anyone who may write the file could choose which process Pannier signals. Root's and own files are
  // trusted.
  if (!isOwn(uid) && users?.includes(uid) !== true) {
    const seen = `${path} belongs to user ${uid}, and process ${pid} to user ${users?.at(-1) ?? 'unknown'}`;
    const hint = 'Let root or the user of the application write the pid file.';
    return { failure: failure('RELOAD_PID_REFUSED', place, seen, { hint }) };
  }
  if (isYounger(stat.startTicks, bootSeconds, mtimeMs)) {
    const seen = `process ${pid} started after ${path} was written`;
    return { failure: failure('RELOAD_PID_REUSED', place, seen) };
  }
  return { pid };
}

/** RELOAD_NO_PROCESS for a pid. */
export function noProcess(pid: number, place: string): Failure {
  return failure('RELOAD_NO_PROCESS', place, `there is no process ${pid}`);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

interface FileStart {
  readonly text: string;
  readonly stats: Stats;
}

/** The first bytes of the file, or why they cannot be read. O_NONBLOCK: opening a FIFO at this path must not block. */
async function readStart(path: string): Promise<FileStart | { readonly seen: string }> {
  try {
    return await fileCall(path, async () => {
      const file = await openTrusted(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        const stats = await file.stat();
        if (!stats.isFile()) return { seen: 'is not a regular file' };
        const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, null);
        return { text: buffer.toString('latin1', 0, bytesRead), stats };
      } finally {
        await file.close();
      }
    });
  } catch (error) {
    if (error instanceof ForeignLinkError) return { seen: 'is a link that another user can exchange' };
    const code = errnoWord(error);
    return { seen: code === 'ENOENT' ? 'is missing' : `cannot be read (${code})` };
  }
}
