import type { Stats } from 'node:fs';
import { lstat, realpath, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { FSWatcher } from 'chokidar';
import type { Clock } from './clock.ts';
import { errnoWord } from './errno.ts';
import { fileStamp } from './file-stamp.ts';

/** From the first event to telling: an editor's save or a kubelet's swap is several. Later ones do not put it off. */
const GATHER_MS = 50;

/** A directory that is gone is looked for this often. */
const GONE_MS = 1_000;

/**
 * How often it is looked without an event: some changes make none, such as another directory at the path of a parent,
 * or a file of NFS that is written by another machine. All watches look in one moment.
 */
const LOOK_MS = 30_000;

export interface FileWatchOptions {
  readonly path: string;
  /** `path` is a folder of secrets: what is in it and in its subfolders counts. Absent: when there is a folder. */
  readonly folder?: boolean;
  readonly clock: Clock;
  /** Something may have changed. Also called once when the watch has begun, for what changed before. */
  readonly changed: () => void;
  /** The watch is lost; looking now and then goes on. `code` is a system error's. */
  readonly lost: (code: string) => void;
}

/** What there is to watch at one moment. */
interface WatchTarget {
  readonly folder: boolean;
  /** The directory of the file, or the folder itself. */
  readonly top: string;
  /** Where the path leads: the directory of the file, or the folder. */
  readonly target: string;
  /** Differs when one of these is another directory than before; none of a name that is gone. */
  readonly key: string;
  /** The top directory is there, and the path is no link that leads nowhere. */
  readonly isThere: boolean;
  /** The top directory is there, so that there is something to watch. */
  readonly hasTop: boolean;
}

/**
 * Tells that a file or a folder may have changed, until it is disposed of.
 *
 * A file is watched by its directory: a watch on the file itself follows the inode, which an editor renames away. When
 * the path is a symlink out of the directory, the directory of its target is watched too. So is a `..data` that the
 * kubelet swaps: it is an entry of the directory. A watch on a directory follows its inode as well, so that one that is
 * removed or renamed and made again is watched anew.
 */
export class FileWatch implements AsyncDisposable {
  readonly #options: FileWatchOptions;
  #watcher: FSWatcher | undefined;
  /** What is watched. */
  #watched: WatchTarget | undefined;
  /** An event says that a watched directory itself was removed or renamed. */
  #isMoved = false;
  #stamp = '';
  #look: Promise<void>;
  #callOffSoon: (() => void) | undefined;
  #callOffLater = () => {};
  #over = false;
  #lost = '';

  constructor(options: FileWatchOptions) {
    this.#options = options;
    this.#look = this.#tell(true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    this.#callOffSoon?.();
    await this.#look;
    this.#callOffLater();
    await this.#watcher?.close();
  }

  #soon(): void {
    if (this.#over || this.#callOffSoon !== undefined) return;
    this.#callOffSoon = this.#options.clock.after(GATHER_MS, () => {
      this.#callOffSoon = undefined;
      this.#look = this.#look.then(() => this.#tell(true));
    });
  }

  /** Other files of the directory are none of our business: a file's own stamp must have changed. */
  async #tell(isEvent: boolean): Promise<void> {
    const { path, changed } = this.#options;
    this.#callOffLater();
    const isNew = await this.#follow();
    const stamp = await stat(path).then(fileStamp, () => 'none');
    if (this.#over) return;
    // The events of a new watch begin when it is ready, which is an event itself.
    if (!isNew && ((isEvent && this.#watched?.folder === true) || stamp !== this.#stamp)) changed();
    if (!isNew) this.#stamp = stamp;
    this.#later();
  }

  #later(): void {
    const { clock } = this.#options;
    const ms = this.#watched?.isThere === true ? LOOK_MS - (clock.monoMs() % LOOK_MS) : GONE_MS;
    this.#callOffLater = clock.after(ms, () => {
      this.#look = this.#look.then(() => this.#tell(false));
    });
  }

  /** Watches what is there now. True when that is something else than before, and a look at it is to come. */
  async #follow(): Promise<boolean> {
    const found = await this.#locate();
    if (this.#over || (found.key === this.#watched?.key && !this.#isMoved)) return false;
    const before = this.#watcher;
    this.#watcher = undefined;
    this.#watched = found;
    this.#isMoved = false;
    await before?.close();
    if (!found.hasTop || this.#over) return false;
    try {
      await this.#watch(found);
      return true;
    } catch (error) {
      this.#reportLost(error);
      return false;
    }
  }

  async #watch({ folder, top, target }: WatchTarget): Promise<void> {
    const { watch } = await import('chokidar');
    if (this.#over) return;
    const dirs = [...new Set([top, target])];
    const watcher = watch(dirs, { depth: folder ? 1 : 0, followSymlinks: false, ignoreInitial: true });
    this.#watcher = watcher;
    watcher.on('all', (event, path) => {
      if (event === 'unlinkDir' && dirs.includes(resolve(path))) this.#isMoved = true;
      this.#soon();
    });
    // A directory that goes is an event with its own name.
    watcher.on('raw', (event, name) => {
      if (event === 'rename' && dirs.some((dir) => name === dir || name === basename(dir))) this.#isMoved = true;
      this.#soon();
    });
    watcher.on('error', (error) => this.#reportLost(error));
    watcher.on('ready', () => this.#soon());
  }

  async #locate(): Promise<WatchTarget> {
    const { path } = this.#options;
    const own = this.#options.folder ?? (await statOrNone(path))?.isDirectory() ?? false;
    const top = own ? path : dirname(path);
    const real = await realpath(path).catch(() => undefined);
    const leadsTo = real ?? path;
    const target = own ? leadsTo : dirname(leadsTo);
    const there = await statOrNone(top);
    const key = [own, top, idOf(there), target, idOf(await statOrNone(target))].join(' ');
    const isLost = real === undefined && (await isLink(path));
    return { folder: own, top, target, key, hasTop: there !== undefined, isThere: there !== undefined && !isLost };
  }

  #reportLost(error: unknown): void {
    const code = errnoWord(error);
    if (this.#over || code === this.#lost) return;
    this.#lost = code;
    this.#options.lost(code);
  }
}

const statOrNone = (path: string): Promise<Stats | undefined> => stat(path).catch(() => undefined);

const isLink = (path: string): Promise<boolean> =>
  lstat(path).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  );

/**
 * A number of an inode is given again at once on some file systems; the birth tells the two apart where it is known.
 */
const idOf = (stats: Stats | undefined): string =>
  stats === undefined ? '-' : `${stats.dev}:${stats.ino}:${stats.birthtimeMs}`;
