import { close, constants, fstat, open, read, readdir, readlinkSync, realpath, type Stats, stat } from 'node:fs';
import { promisify } from 'node:util';
import { FileCallError, fileCall } from './file-call.ts';

/**
 * How long a pipe may take to be written and closed: its writer (a shell's `<(…)`) may have to decrypt something first.
 */
const PIPE_MS = 30_000;
/** How often a pipe is read while nothing is in it. */
const PIPE_POLL_MS = 20;

/** What a read accepts. */
export interface ReadOptions {
  /** A longer file is refused with EFBIG. */
  readonly maxBytes: number;
  /** Reads a pipe or a device too, up to its end. Absent: every file but a regular one is refused with EFTYPE. */
  readonly pipes?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A file as it was at one moment. */
export interface ReadFile {
  readonly bytes: Buffer;
  /** From before the bytes were read. */
  readonly stats: Stats;
}

const openFile = promisify(open);
const statFile = promisify(fstat);
const readInto = promisify(read);
const closeFile = promisify(close);

/**
 * Reads a file that another user can replace at any moment. It does not wait for the writer of a FIFO in the file's
 * place, and when the file system hangs the read fails, while the process goes on.
 * @throws FileCallError, errors of system calls (by their `code`), or the signal's reason.
 */
export async function readFileInTime(path: string, options: ReadOptions): Promise<ReadFile> {
  const whole = await fileCall(path, () => readRegular(path, options), options.signal);
  if ('bytes' in whole) return whole;
  try {
    return { stats: whole.stats, bytes: await readPipe(whole.fd, isNamedPipe(whole), options) };
  } finally {
    await closeFile(whole.fd);
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

/** The whole file, or the open descriptor when it is a pipe or a device, which the caller closes. */
async function readRegular(
  path: string,
  { maxBytes, pipes = false }: ReadOptions,
): Promise<ReadFile | { readonly fd: number; readonly stats: Stats }> {
  // Without O_NONBLOCK, opening a FIFO would wait for a writer.
  const fd = await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK);
  let isKept = false;
  try {
    const stats = await statFile(fd);
    if (stats.isDirectory()) throw new FileCallError('EISDIR');
    if (!stats.isFile()) {
      if (!pipes) throw new FileCallError('EFTYPE');
      isKept = true;
      return { fd, stats };
    }
    if (stats.size > maxBytes) throw FileCallError.tooLarge(maxBytes, stats.size);
    return { stats, bytes: await readToEnd(fd, stats.size, maxBytes) };
  } finally {
    if (!isKept) await closeFile(fd);
  }
}

async function readToEnd(fd: number, size: number, maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for (let room = size + 1; ; room = 64 * 1024) {
    const part = Buffer.allocUnsafeSlow(room);
    const { bytesRead } = await readInto(fd, part, 0, room, null);
    if (bytesRead === 0) return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    parts.push(part.subarray(0, bytesRead));
    length += bytesRead;
    if (length > maxBytes) throw FileCallError.tooLarge(maxBytes);
  }
}

/**
 * Waits with timers, not with a thread. A FIFO is at its end also before a writer has opened it, which is waited for.
 */
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
      if (length > maxBytes) throw FileCallError.tooLarge(maxBytes);
    } else {
      if (performance.now() > endMs) throw new FileCallError('ETIMEDOUT');
      await new Promise((resolve) => setTimeout(resolve, PIPE_POLL_MS));
    }
  }
}

/** Whether the pipe is a FIFO with a path. The writer of a pipe without one has opened it before this process runs. */
function isNamedPipe({ fd, stats }: { readonly fd: number; readonly stats: Stats }): boolean {
  if (!stats.isFIFO() || process.platform !== 'linux') return stats.isFIFO();
  try {
    return !readlinkSync(`/proc/self/fd/${fd}`).startsWith('pipe:');
  } catch {
    return true;
  }
}

/** The number of bytes that were read: 0 at the end, -1 when there is nothing to read yet. */
async function readSome(fd: number, into: Buffer): Promise<number> {
  try {
    return (await readInto(fd, into, 0, into.length, null)).bytesRead;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return -1;
    throw error;
  }
}
