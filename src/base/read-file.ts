import { close, constants, fstat, open, read, readdir, readlinkSync, realpath, type Stats, stat } from 'node:fs';
import { promisify } from 'node:util';
import { FileCallError, fileCall } from './file-call.ts';

/** How long a pipe may take to be written and closed: what writes it (a shell's `<(…)`) may decrypt something first. */
const PIPE_MS = 30_000;
const PIPE_LOOK_MS = 20;

export interface ReadOptions {
  /** A longer file is EFBIG. */
  readonly maxBytes: number;
  /** Takes a pipe or a device too, and waits for what is written to it. Otherwise all but regular files are EFTYPE. */
  readonly pipes?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A file as it was at one moment. */
export interface ReadFile {
  readonly bytes: Buffer;
  /** Looked at before the bytes were read. */
  readonly stats: Stats;
}

const opened = promisify(open);
const looked = promisify(fstat);
const got = promisify(read);
const closed = promisify(close);

/**
 * Reads a file that somebody else can replace at any moment: a FIFO in its place is not waited for, and a file system
 * that hangs ends the read and not the process.
 * @throws FileCallError, errors of system calls (by their `code`), or the signal's reason.
 */
export async function readFileInTime(path: string, options: ReadOptions): Promise<ReadFile> {
  const whole = await fileCall(path, () => readRegular(path, options), options.signal);
  if ('bytes' in whole) return whole;
  try {
    return { stats: whole.stats, bytes: await readPipe(whole.fd, isNamedPipe(whole), options) };
  } finally {
    await closed(whole.fd);
  }
}

/** @throws as `readFileInTime` does. */
export async function statInTime(path: string): Promise<Stats> {
  return await fileCall(path, () => promisify(stat)(path));
}

/** @throws as `readFileInTime` does. */
export async function readdirInTime(path: string): Promise<string[]> {
  return await fileCall(path, () => promisify(readdir)(path));
}

/** @throws as `readFileInTime` does. */
export async function realpathInTime(path: string): Promise<string> {
  return await fileCall(path, () => promisify(realpath.native)(path));
}

/** A pipe is handed over open. */
async function readRegular(
  path: string,
  { maxBytes, pipes = false }: ReadOptions,
): Promise<ReadFile | { readonly fd: number; readonly stats: Stats }> {
  // O_NONBLOCK: without it, to open a FIFO waits for somebody who writes to it.
  const fd = await opened(path, constants.O_RDONLY | constants.O_NONBLOCK);
  let isKept = false;
  try {
    const stats = await looked(fd);
    if (stats.isDirectory()) throw new FileCallError('EISDIR');
    if (!stats.isFile()) {
      if (!pipes) throw new FileCallError('EFTYPE');
      isKept = true;
      return { fd, stats };
    }
    if (stats.size > maxBytes) throw new FileCallError('EFBIG');
    return { stats, bytes: await readToEnd(fd, stats.size, maxBytes) };
  } finally {
    if (!isKept) await closed(fd);
  }
}

async function readToEnd(fd: number, size: number, maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for (let room = size + 1; ; room = 64 * 1024) {
    const part = Buffer.allocUnsafeSlow(room);
    const { bytesRead } = await got(fd, part, 0, room, null);
    if (bytesRead === 0) return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    parts.push(part.subarray(0, bytesRead));
    length += bytesRead;
    if (length > maxBytes) throw new FileCallError('EFBIG');
  }
}

/** Waits without a thread. Before the first byte the end of a FIFO is no end: nobody has opened the other side yet. */
async function readPipe(fd: number, isFifo: boolean, { maxBytes, signal }: ReadOptions): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  const endMs = performance.now() + PIPE_MS;
  const part = Buffer.allocUnsafeSlow(64 * 1024);
  for (;;) {
    signal?.throwIfAborted();
    const count = await readSome(fd, part);
    if (count === 0 && (length > 0 || !isFifo)) return Buffer.concat(parts);
    if (count > 0) {
      parts.push(Buffer.from(part.subarray(0, count)));
      length += count;
      if (length > maxBytes) throw new FileCallError('EFBIG');
    } else {
      if (performance.now() > endMs) throw new FileCallError('ETIMEDOUT');
      await new Promise((resolve) => setTimeout(resolve, PIPE_LOOK_MS));
    }
  }
}

/** Of a pipe without a name the other side was open from the start. */
function isNamedPipe({ fd, stats }: { readonly fd: number; readonly stats: Stats }): boolean {
  if (!stats.isFIFO() || process.platform !== 'linux') return stats.isFIFO();
  try {
    return !readlinkSync(`/proc/self/fd/${fd}`).startsWith('pipe:');
  } catch {
    return true;
  }
}

/** -1: nothing is there yet. */
async function readSome(fd: number, into: Buffer): Promise<number> {
  try {
    return (await got(fd, into, 0, into.length, null)).bytesRead;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return -1;
    throw error;
  }
}
