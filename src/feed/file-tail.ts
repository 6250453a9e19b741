import { constants, type FSWatcher, type Stats, watch } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { Clock } from '../base/clock.ts';
import { errnoOf, errnoWord } from '../base/errno.ts';

/** How often the file is looked at without an event: another file at the path makes none, nor does a write over NFS. */
const LOOK_MS = 1_000;

/** How long a file that was renamed away is read on: the server writes to it until it is told to open the new one. */
const OLD_FILE_MS = 60_000;

/** The longest line. A request has up to 32 MiB unless configured otherwise, but no secret is nearly that long. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024;

const CHUNK_BYTES = 64 * 1024;

/** How much of what was read last is compared at each read: it differs when a file was cut and has grown again. */
const OVERLAP_BYTES = 64;

const NEWLINE = 0x0a;

/** What is told of a file; all calls are synchronous, in the order of the file. */
export interface TailListener {
  line(text: string): void;
  /** Lines may have been missed: the file was cut, or a line was too long. */
  gap(): void;
  /** Whether the file is read; `why` names what prevents it. Told when it changes, and first of all. */
  read(why: string | undefined): void;
}

/**
 * Reads a file that grows, from its end on, until it is disposed of. It goes on over the rotations that log files have:
 * renamed away and made anew (before or after the server opens it again), or copied and cut.
 */
export class FileTail implements AsyncDisposable {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #listener: TailListener;
  readonly #files: Followed[] = [];
  #watcher: FSWatcher | undefined;
  #cancelLook = () => {};
  #looking: Promise<void> | undefined;
  #mustLookAgain = false;
  /** Whether the path is to be looked at too, where another file may be. */
  #mustLookAtPath = true;
  #isDisposed = false;
  #why: string | undefined | null = null;

  constructor(path: string, clock: Clock, listener: TailListener) {
    this.#path = path;
    this.#clock = clock;
    this.#listener = listener;
    this.look(true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    this.#cancelLook();
    this.#watcher?.close();
    await this.#looking;
    await Promise.all(this.#files.map((file) => file.close()));
  }

  /** Looks now, or once more after the look that is under way. @param atPath whether another file may be there. */
  look(atPath = false): void {
    if (this.#isDisposed) return;
    this.#mustLookAgain = true;
    this.#mustLookAtPath ||= atPath;
    this.#looking ??= this.#lookAll().finally(() => {
      this.#looking = undefined;
    });
  }

  async #lookAll(): Promise<void> {
    this.#cancelLook();
    while (this.#mustLookAgain && !this.#isDisposed) {
      this.#mustLookAgain = false;
      await this.#lookOnce();
    }
    if (!this.#isDisposed) this.#cancelLook = this.#clock.after(LOOK_MS, () => this.look(true));
  }

  async #lookOnce(): Promise<void> {
    let why = this.#why ?? undefined;
    if (this.#mustLookAtPath || this.#files.length === 0) {
      this.#mustLookAtPath = false;
      why = await this.#lookAtPath();
    }
    try {
      for (const file of this.#files) await file.drain(this.#listener, () => this.#isDisposed);
      await this.#closeOld();
    } catch (error) {
      why ??= reason(error);
      this.#listener.gap();
      for (const file of this.#files.splice(0)) await file.close();
    }
    this.#tell(why);
  }

  /** Resolves to what prevents that the file at the path is read. */
  async #lookAtPath(): Promise<string | undefined> {
    try {
      const stats = await stat(this.#path);
      if (this.#files.at(-1)?.isOf(stats) !== true) await this.#open();
      return undefined;
    } catch (error) {
      // A file that was renamed away is read on; the server makes another one.
      return errnoOf(error) === 'ENOENT' && this.#files.length > 0 ? undefined : reason(error);
    }
  }

  async #open(): Promise<void> {
    // Without O_NONBLOCK the opening of a pipe would wait for its writer.
    const handle = await open(this.#path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await handle.stat();
    if (!stats.isFile() || this.#isDisposed) {
      await handle.close();
      throw Object.assign(new Error('no file'), { code: 'EFTYPE' });
    }
    const before = this.#files.at(-1);
    if (before !== undefined) before.leftMonoMs = this.#clock.monoMs();
    this.#files.push(await Followed.begin(handle, stats, before === undefined ? stats.size : 0));
    this.#follow();
  }

  #follow(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    try {
      const watcher = watch(this.#path, { persistent: false }, (event) => this.look(event === 'rename'));
      watcher.on('error', () => watcher.close());
      this.#watcher = watcher;
    } catch {
      // the file is looked at each second all the same
    }
  }

  /** Closes files that were left long ago, once there is something in the file that took their place. */
  async #closeOld(): Promise<void> {
    const newest = this.#files.at(-1);
    const now = this.#clock.monoMs();
    for (const file of [...this.#files]) {
      if (file === newest || newest?.isEmpty !== false || now - (file.leftMonoMs ?? now) < OLD_FILE_MS) continue;
      this.#files.splice(this.#files.indexOf(file), 1);
      await file.close();
    }
  }

  #tell(why: string | undefined): void {
    if (this.#isDisposed || why === this.#why) return;
    this.#why = why;
    this.#listener.read(why);
  }
}

function reason(error: unknown): string {
  switch (errnoOf(error)) {
    case 'ENOENT':
      return 'does not exist';
    case 'EACCES':
    case 'EPERM':
      return 'may not be read by this user';
    case 'EFTYPE':
      return 'is not a file';
    default:
      return `cannot be read (${errnoWord(error)})`;
  }
}

/** One file that is read from where it was left. */
class Followed {
  readonly #handle: FileHandle;
  readonly #stats: Stats;
  #offset: number;
  readonly #buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES + OVERLAP_BYTES);
  /** The bytes before `#offset`, at most `OVERLAP_BYTES`. */
  #before: Buffer;
  /** What was read of a line whose end is not there yet. */
  #rest: Buffer[] = [];
  #restBytes = 0;
  /** The line that is read now is not told: it began before the first read, or it is too long. */
  #isSkipped: boolean;
  /** When another file took its place. */
  leftMonoMs: number | undefined;

  private constructor(handle: FileHandle, stats: Stats, offset: number, before: Buffer) {
    this.#handle = handle;
    this.#stats = stats;
    this.#offset = offset;
    this.#before = before;
    this.#isSkipped = before.length > 0 && before.at(-1) !== NEWLINE;
  }

  static async begin(handle: FileHandle, stats: Stats, offset: number): Promise<Followed> {
    const length = Math.min(offset, OVERLAP_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset - length);
    return new Followed(handle, stats, offset, buffer.subarray(0, bytesRead));
  }

  isOf({ dev, ino }: Stats): boolean {
    return dev === this.#stats.dev && ino === this.#stats.ino;
  }

  get isEmpty(): boolean {
    return this.#offset === 0;
  }

  async close(): Promise<void> {
    await this.#handle.close().catch(() => {});
  }

  /** Tells all lines that have come since the last time. */
  async drain(listener: TailListener, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const overlap = this.#before.length;
      const { bytesRead } = await this.#handle.read(this.#buffer, 0, this.#buffer.length, this.#offset - overlap);
      const bytes = this.#buffer.subarray(0, bytesRead);
      if (bytesRead < overlap || !bytes.subarray(0, overlap).equals(this.#before)) {
        this.#cut(listener);
        continue;
      }
      if (bytesRead === overlap) return;
      this.#offset += bytesRead - overlap;
      this.#before = Buffer.from(bytes.subarray(Math.max(0, bytesRead - OVERLAP_BYTES)));
      this.#split(bytes.subarray(overlap), listener);
    }
  }

  #cut(listener: TailListener): void {
    this.#offset = 0;
    this.#before = Buffer.alloc(0);
    this.#forget();
    this.#isSkipped = false;
    listener.gap();
  }

  #split(chunk: Buffer, listener: TailListener): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#keep(chunk.subarray(start, end), listener);
      if (!this.#isSkipped) listener.line(Buffer.concat(this.#rest).toString('utf8'));
      this.#forget();
      this.#isSkipped = false;
      start = end + 1;
    }
    // A copy, since the buffer is used again.
    if (start < chunk.length) this.#keep(Buffer.from(chunk.subarray(start)), listener);
  }

  #keep(part: Buffer, listener: TailListener): void {
    if (this.#isSkipped) return;
    this.#restBytes += part.length;
    if (this.#restBytes <= MAX_LINE_BYTES) return void this.#rest.push(part);
    this.#forget();
    this.#isSkipped = true;
    listener.gap();
  }

  #forget(): void {
    this.#rest = [];
    this.#restBytes = 0;
  }
}
