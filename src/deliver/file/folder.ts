import type { Stats } from 'node:fs';
import { join } from 'node:path';
import { fail } from '../../base/errors.ts';
import { isSameFile } from '../../base/held-folder.ts';
import type { Disk } from './disk.ts';

/**
 * The open directory of an output. Every call to the file system starts from `at`, which stays the same directory when
 * another user exchanges the path for a symlink; messages show the configured path.
 */
export class Folder {
  readonly #at: string;
  readonly #path: string;
  readonly #place: string;
  readonly #disk: Disk;
  readonly stats: Stats;

  /** @param at `/proc/self/fd/N`, or the path itself where that does not work. */
  constructor(at: string, { path, place, disk, stats }: { path: string; place: string; disk: Disk; stats: Stats }) {
    this.#at = at;
    this.#path = path;
    this.#place = place;
    this.#disk = disk;
    this.stats = stats;
  }

  /** The path of a name for calls to the file system. */
  at(name = ''): string {
    return name === '' ? this.#at : `${this.#at}/${name}`;
  }

  /** The path of a name for messages. */
  shown(name = ''): string {
    return join(this.#path, name);
  }

  /**
   * Checks that the path still leads to the same directory, where calls have to start from the path (no `/proc`). Call
   * it before each step.
   * @throws PannierError OUTPUT_SYMLINK.
   */
  async check(): Promise<void> {
    if (this.#at !== this.#path) return;
    if (isSameFile(await this.#disk.lstat(this.#path), this.stats)) return;
    throw fail('OUTPUT_SYMLINK', this.#place, `${this.#path} was exchanged while it was written`);
  }
}
