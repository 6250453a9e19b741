import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { fail } from '../base/errors.ts';

/** Append, so that a rotation that copies and truncates works too. O_NONBLOCK: a FIFO without a reader is an error. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

/** A file that log lines go to, each written before the call returns. */
export class LogFile implements Disposable {
  readonly #path: string;
  readonly #fd: number;

  /** Opens it, and makes it 0600 when it is not there. @throws PannierError LOG_FILE. */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#fd = openSync(path, FLAGS, 0o600);
    } catch (error) {
      throw this.#trouble(error);
    }
  }

  /** @throws PannierError LOG_FILE, when the disk is full for one; a part of the line may be there. */
  write(line: string): void {
    const bytes = Buffer.from(line);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    } catch (error) {
      throw this.#trouble(error);
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #trouble(error: unknown) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    return fail('LOG_FILE', 'log.file', `${this.#path} cannot be written (${code})`);
  }
}
