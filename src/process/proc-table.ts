import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename } from 'node:path';
import { parseProcStat } from './proc-stat.ts';

/** One process, as /proc shows it. */
export interface ProcEntry {
  readonly pid: number;
  readonly parent: number;
  /** `comm`: the program's name, at most 15 bytes; a program may rename itself. */
  readonly comm: string;
  /** Base name of the program's file; undefined when Pannier may not read it (another user's process). */
  readonly exe: string | undefined;
}

/** What the kernel appends to the path of a program whose file was replaced while the program runs. */
const DELETED = ' (deleted)';

/**
 * Every running process that Pannier can see, without zombies and processes that end meanwhile. Undefined when there is
 * no /proc.
 */
export async function readProcTable(): Promise<readonly ProcEntry[] | undefined> {
  let names: readonly string[];
  try {
    names = await readdir('/proc');
  } catch {
    return undefined;
  }
  const pids = names.filter((name) => /^\d+$/.test(name));
  const entries = await Promise.all(pids.map(readEntry));
  return entries.filter((entry) => entry !== undefined);
}

async function readEntry(pid: string): Promise<ProcEntry | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    const stat = parseProcStat(text);
    if (stat === undefined || stat.state === 'Z' || stat.state === 'X') return undefined;
    const comm = text.slice(text.indexOf('(') + 1, text.lastIndexOf(')'));
    return { pid: Number(pid), parent: stat.parent, comm, exe: await readExe(pid) };
  } catch {
    return undefined;
  }
}

async function readExe(pid: string): Promise<string | undefined> {
  try {
    const path = await readlink(`/proc/${pid}/exe`);
    return basename(path.endsWith(DELETED) ? path.slice(0, -DELETED.length) : path);
  } catch {
    return undefined;
  }
}
