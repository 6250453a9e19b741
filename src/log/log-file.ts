import { constants, fstatSync, type Stats, statSync, writeSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errnoOf, errnoWord } from '../base/errno.ts';
import { fail, type PannierError } from '../base/errors.ts';
import { ForeignLinkError } from '../base/held-folder.ts';
import { openTrusted } from '../base/open-trusted.ts';

/** Append, so that a rotation that copies and truncates works too. O_NONBLOCK: a FIFO without a reader is an error. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

/** How often a write looks whether the path still leads to the open file. */
const LOOK_MS = 1_000;

/**
 * A file that log lines go to, each written before the call returns. When another file has its path, as after a
 * rotation that sends no signal, that one is opened.
 */
export class LogFile implements Disposable {
  readonly #path: string;
  readonly #place: string;
  #file: FileHandle;
  #lookAtMs = Date.now() + LOOK_MS;
  /** The path led nowhere at the last look. */
  #isGone = false;
  /** The last line of `write` is there in part: what follows it begins a line, so that no more than one is lost. */
  #isTorn = false;
  #isOpening = false;
  #isClosed = false;

  private constructor(path: string, file: FileHandle, place: string) {
    this.#path = path;
    this.#place = place;
    this.#file = file;
  }

  /**
   * Opens it, and makes it 0600 when it is not there. A link in a directory that another user may write is not
   * followed.
   * @param place the key of the configuration that names it.
   * @throws PannierError LOG_FILE.
   */
  static async open(path: string, place = 'log.file'): Promise<LogFile> {
    try {
      return new LogFile(path, await openTrusted(resolve(path), FLAGS), place);
    } catch (error) {
      throw trouble(path, error, place);
    }
  }

  /** @throws PannierError LOG_FILE, when the disk is full for one; a part of the line may be there. */
  write(line: string): void {
    this.#look();
    const bytes = Buffer.from(this.#isTorn ? `\n${line}` : line);
    try {
      for (let at = 0; at < bytes.length; ) {
        at += writeSync(this.#file.fd, bytes, at);
        this.#isTorn = at < bytes.length;
      }
    } catch (error) {
      throw trouble(this.#path, error, this.#place);
    }
  }

  /**
   * Writes what there is room for: of a pipe that is full nothing, and 0 is returned.
   * @throws PannierError LOG_FILE.
   */
  writeSome(bytes: Buffer): number {
    this.#look();
    try {
      return writeSync(this.#file.fd, bytes);
    } catch (error) {
      if (errnoOf(error) === 'EAGAIN') return 0;
      throw trouble(this.#path, error, this.#place);
    }
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    void this.#file.close().catch(() => {});
  }

  #look(): void {
    const nowMs = Date.now();
    if (this.#isOpening || (nowMs < this.#lookAtMs && nowMs > this.#lookAtMs - 2 * LOOK_MS)) return;
    this.#lookAtMs = nowMs + LOOK_MS;
    let there: Stats | undefined;
    try {
      there = statSync(this.#path, { throwIfNoEntry: false });
    } catch {
      return; // a folder that may not be searched any more
    }
    const wasGone = this.#isGone;
    this.#isGone = there === undefined;
    if (there === undefined ? !wasGone : isSame(there, fstatSync(this.#file.fd))) return;
    // A path that leads nowhere gets a second look, so that the program that rotates makes the file with its own mode.
    this.#isOpening = true;
    void this.#openAgain().finally(() => {
      this.#isOpening = false;
    });
  }

  /** The file stays when another one cannot be opened. */
  async #openAgain(): Promise<void> {
    try {
      const file = await openTrusted(resolve(this.#path), FLAGS);
      const old = this.#isClosed ? file : this.#file;
      if (!this.#isClosed) {
        this.#file = file;
        this.#isTorn = false;
      }
      await old.close();
    } catch {
      // It is tried again at the next look.
    }
  }
}

const isSame = (a: Stats, b: Stats): boolean => a.dev === b.dev && a.ino === b.ino;

/** Each line is tried anew, so no signal is needed. */
const AUDIT_HINT = 'Check path and space; until then these lines go where the log goes.';

function trouble(path: string, error: unknown, place: string): PannierError {
  if (error instanceof ForeignLinkError) {
    const hint = 'Name the file that it leads to, or put the log into a directory that only root may write.';
    return fail('LOG_FILE', place, `${error.link} is a link that another user can exchange`, { hint });
  }
  const details = place === 'log.auditFile' ? { hint: AUDIT_HINT } : {};
  return fail('LOG_FILE', place, `${path} cannot be written (${errnoWord(error)})`, details);
}
