import { constants, type Stats } from 'node:fs';
import { errnoWord } from '../base/errno.ts';
import { type Failure, failure } from '../base/errors.ts';
import { fileCall } from '../base/file-call.ts';
import { ForeignLinkError, isOwn } from '../base/held-folder.ts';
import { openTrusted } from '../base/open-trusted.ts';
import { readBootSeconds, readProcStat, readProcUsers, startedAtMs } from './proc-stat.ts';

/**
 * How much later than its pid file a process may seem to have started and still be the one meant.
 *
 * An application starts, then writes the file, and our reading of the start is never late, so in a quiet world zero
 * would do. But the reading moves with the wall clock while the file's time stands still: a leap second, or the
 * truncation of `btime` when a correction carries the boot over a full second, is 1 s; clock daemons step by less than
 * that when they step in normal running. 2 s covers these. A pid that is handed out again within 2 s (3 s with the
 * rounding) of the file's writing goes unnoticed: pids are given in order, so the whole range would have to be used up
 * in that time. A clock set forward by more makes us refuse a right process, which is told and does no harm.
 */
export const START_TOLERANCE_MS = 2000;

/** More than a number and white space take; reading stops there, whatever the file is. */
const LONGEST = 64;
const LARGEST_PID = 2 ** 31 - 1;

export type PidFileProcess = { readonly pid: number } | { readonly failure: Failure };

/**
 * The process that a pid file names, read anew at each call: never kept, as the application may restart any time.
 *
 * Refused: what is not one plain decimal number (white space around it is fine), a pid of 1 or less (0 and negative
 * numbers mean process groups), our own, and on Linux a process that started after the file was written: the number
 * was given to somebody else. Also on Linux: a file of another user that names a process which is not theirs, and a
 * link that another user can exchange. Elsewhere than on Linux these last checks are left out.
 *
 * Between this answer and a signal the process may still end and its number be reused; Node has no pidfd to close that
 * window, which is as short as a call.
 *
 * Never throws. Codes: RELOAD_PID_FILE, RELOAD_PID_REFUSED, RELOAD_PID_REUSED, RELOAD_NO_PROCESS (also for a zombie),
 * RELOAD_NOT_PERMITTED (the process is hidden from us, so it cannot be told apart from another).
 */
export async function readPidFile(path: string, place: string): Promise<PidFileProcess> {
  const file = await readStart(path);
  if ('seen' in file) return { failure: failure('RELOAD_PID_FILE', place, `pid file ${path} ${file.seen}`) };
  const text = file.text.trim();
  if (text === '') return { failure: failure('RELOAD_PID_FILE', place, `pid file ${path} is empty`) };
  if (!/^-?\d+$/.test(text) || Number(text) > LARGEST_PID || file.text.length === LONGEST) {
    return { failure: failure('RELOAD_PID_FILE', place, `pid file ${path} does not hold one plain number`) };
  }
  const pid = Number(text);
  if (pid <= 1) return { failure: failure('RELOAD_PID_REFUSED', place, `pid ${pid} in ${path} is never signalled`) };
  if (pid === process.pid) return { failure: failure('RELOAD_PID_REFUSED', place, `pid ${pid} in ${path} is our own`) };
  if (process.platform !== 'linux') return { pid };
  return checkProcess(pid, file.stats, path, place);
}

/** Whether a process that started then is not the one that the file was written for. */
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
      ? { failure: failure('RELOAD_NOT_PERMITTED', place, `the start of process ${pid} cannot be read from /proc`) }
      : { failure: noProcess(pid, place) };
  }
  if (stat.state === 'Z' || stat.state === 'X') return { failure: noProcess(pid, place) };
  // Who may write the file would else choose which process we signal. A file of root's or our own is believed.
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

export function noProcess(pid: number, place: string): Failure {
  return failure('RELOAD_NO_PROCESS', place, `no process ${pid}`);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

interface Start {
  readonly text: string;
  readonly stats: Stats;
}

/** O_NONBLOCK: a FIFO in the file's place must not hold us up. */
async function readStart(path: string): Promise<Start | { readonly seen: string }> {
  try {
    return await fileCall(path, async () => {
      const file = await openTrusted(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(LONGEST), 0, LONGEST, null);
        return { text: buffer.toString('latin1', 0, bytesRead), stats: await file.stat() };
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
