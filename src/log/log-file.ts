import { constants, writeSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errnoWord } from '../base/errno.ts';
import { fail, type PannierError } from '../base/errors.ts';
import { ForeignLinkError } from '../base/held-folder.ts';
import { openTrusted } from '../base/open-trusted.ts';

/** Append, so that a rotation that copies and truncates works too. O_NONBLOCK: a FIFO without a reader is an error. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

/** A file that log lines go to, each written before the call returns. */
export class LogFile implements Disposable {
  readonly #path: string;
  readonly #place: string;
  readonly #file: FileHandle;

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
    const bytes = Buffer.from(line);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#file.fd, bytes, at);
    } catch (error) {
      throw trouble(this.#path, error, this.#place);
    }
  }

  [Symbol.dispose](): void {
    void this.#file.close().catch(() => {});
  }
}

function trouble(path: string, error: unknown, place: string): PannierError {
  if (error instanceof ForeignLinkError) {
    const hint = 'Name the file that it leads to, or put the log into a directory that only root may write.';
    return fail('LOG_FILE', place, `${error.link} is a link that another user can exchange`, { hint });
  }
  return fail('LOG_FILE', place, `${path} cannot be written (${errnoWord(error)})`);
}
