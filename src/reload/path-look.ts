import { stat } from 'node:fs/promises';
import type { Clock } from '../base/clock.ts';
import { fileStamp } from '../base/file-stamp.ts';

/** A check is one system call, made only while a reload fails; a watch would not see changes on every file system. */
const CHECK_EVERY_MS = 1_000;

/** Finds out when the file at a path, for which a reload failed, is another one or has other content. */
export class PathLook {
  readonly #path: string;
  readonly #clock: Clock;
  #before = '';

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  /** To be called before the path is used: changes from now on count. */
  async remember(): Promise<void> {
    this.#before = await this.#look();
  }

  /** Resolves at a change, or when `signal` aborts. Never rejects. */
  async untilChanged(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && (await this.#look()) === this.#before) await this.#clock.sleep(CHECK_EVERY_MS, signal);
  }

  #look(): Promise<string> {
    return stat(this.#path).then(fileStamp, () => fileStamp(undefined));
  }
}
