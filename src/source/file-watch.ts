import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FSWatcher } from 'chokidar';
import type { Clock } from '../base/clock.ts';
import { stampOf } from './file-read.ts';

/** From the first event to telling: an editor's save or a kubelet's swap is several. Later ones do not put it off. */
const GATHER_MS = 50;

export interface FileWatchOptions {
  readonly path: string;
  /** `path` is a folder of secrets: what is in it and in its subfolders counts. */
  readonly folder: boolean;
  readonly clock: Clock;
  /** Something may have changed. Also called once when the watch has begun, for what changed before. */
  readonly changed: () => void;
  /** The watch is lost; polling goes on. `code` is a system error's. */
  readonly lost: (code: string) => void;
}

/**
 * Tells that a file or a folder may have changed, until it is disposed of.
 *
 * A file is watched by its directory: a watch on the file itself follows the inode, which an editor renames away. When
 * the path is a symlink out of the directory, the directory of its target is watched too, anew after each change. So
 * is a `..data` that the kubelet swaps: it is an entry of the directory.
 */
export class FileWatch implements AsyncDisposable {
  readonly #options: FileWatchOptions;
  /** The directory that is always watched. */
  readonly #top: string;
  readonly #begun: Promise<void>;
  #watcher: FSWatcher | undefined;
  /** Where the path led when last looked. */
  #target = '';
  #stamp = '';
  #look: Promise<void> = Promise.resolve();
  #callOff: (() => void) | undefined;
  #over = false;

  constructor(options: FileWatchOptions) {
    this.#options = options;
    this.#top = options.folder ? options.path : dirname(options.path);
    this.#begun = this.#begin();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    this.#callOff?.();
    await this.#begun;
    await this.#look;
    await this.#watcher?.close();
  }

  async #begin(): Promise<void> {
    const { folder, lost } = this.#options;
    try {
      const { watch } = await import('chokidar');
      if (this.#over) return;
      this.#watcher = watch(this.#top, { depth: folder ? 1 : 0, followSymlinks: false, ignoreInitial: true });
      this.#watcher.on('all', () => this.#soon());
      this.#watcher.on('raw', () => this.#soon());
      this.#watcher.on('error', (error) => lost(codeOf(error)));
      this.#watcher.on('ready', () => this.#soon());
      await this.#follow();
    } catch (error) {
      lost(codeOf(error));
    }
  }

  #soon(): void {
    if (this.#over || this.#callOff !== undefined) return;
    this.#callOff = this.#options.clock.after(GATHER_MS, () => {
      this.#callOff = undefined;
      this.#look = this.#look.then(() => this.#tell());
    });
  }

  /** Other files of the directory are none of our business: a file's own stamp must have changed. */
  async #tell(): Promise<void> {
    const { path, folder, changed } = this.#options;
    const stamp = folder ? '' : await stat(path).then(stampOf, () => 'none');
    if (this.#over) return;
    if (folder || stamp !== this.#stamp) changed();
    this.#stamp = stamp;
    await this.#follow();
  }

  /** Watches where the path leads now. */
  async #follow(): Promise<void> {
    const { path, folder } = this.#options;
    const target = await realpath(path).catch(() => path);
    const dir = folder ? target : dirname(target);
    if (this.#over || dir === this.#target) return;
    if (this.#target !== '' && this.#target !== this.#top) this.#watcher?.unwatch(this.#target);
    this.#target = dir;
    if (dir !== this.#top) this.#watcher?.add(dir);
  }
}

function codeOf(error: unknown): string {
  const code = String((error as { code?: unknown } | null)?.code);
  return /^E[A-Z]+$/.test(code) ? code : 'unknown';
}
