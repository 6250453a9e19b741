import type { Stats } from 'node:fs';
import { lstat, realpath, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { FSWatcher } from 'chokidar';
import type { Clock } from './clock.ts';
import { errnoWord } from './errno.ts';
import { fileStamp } from './file-stamp.ts';

/**
 * How long events are gathered from the first one on: a save by an editor and a swap by the kubelet make several. Later
 * events do not extend it.
 */
const GATHER_MS = 50;

/** How often a directory that is gone is looked for. */
const GONE_MS = 1_000;

/**
 * How often the path is checked without an event. Some changes make none, such as another directory at the path of a
 * parent, or a write to a file on NFS by another machine. All watches check at the same moments.
 */
const CHECK_MS = 30_000;

/** What is watched, and what is called for it. */
export interface FileWatchOptions {
  readonly path: string;
  /**
   * Whether `path` is watched as a folder, with its files and subfolders. Absent: when there is a folder at the path.
   */
  readonly folder?: boolean;
  readonly clock: Clock;
  /** Called when something may have changed, and once when the watch has begun, for changes before it. */
  readonly changed: () => void;
  /** Called when watching fails, with the code of the system error. The path is still checked every 30 s. */
  readonly lost: (code: string) => void;
}

/** What there is to watch at one moment. */
interface WatchTarget {
  readonly folder: boolean;
  /** The directory of the file, or the folder itself. */
  readonly top: string;
  /** The same after symlinks of the path are resolved. */
  readonly target: string;
  /** Changes when one of the two is another directory than before. */
  readonly key: string;
  /** The top directory exists, and the path is no symlink that leads nowhere. */
  readonly isThere: boolean;
  /** The top directory exists, so it can be watched. */
  readonly hasTop: boolean;
}

/**
 * Reports that a file or a folder may have changed, until it is disposed of.
 *
 * A file is watched by its directory: a watch on the file itself follows the inode, which an editor renames away. The
 * swap of `..data` by the kubelet is seen in this way too, since `..data` is an entry of the directory. When the path
 * is a symlink out of the directory, the directory of its target is watched as well. A watch on a directory also
 * follows the inode, so a directory that was removed or renamed, and made again, gets a new watch.
 */
export class FileWatch implements AsyncDisposable {
  readonly #options: FileWatchOptions;
  #watcher: FSWatcher | undefined;
  #watched: WatchTarget | undefined;
  /** Whether an event said that a watched directory itself was removed or renamed. */
  #isMoved = false;
  #stamp = '';
  /** The check that runs or ran last; checks run one after another. */
  #check: Promise<void>;
  #cancelSoon: (() => void) | undefined;
  #cancelLater = () => {};
  #disposed = false;
  /** The code that was reported as lost last, so that it is reported once. */
  #lostCode = '';

  constructor(options: FileWatchOptions) {
    this.#options = options;
    this.#check = this.#checkNow(true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#cancelSoon?.();
    await this.#check;
    this.#cancelLater();
    await this.#watcher?.close();
  }

  #checkSoon(): void {
    if (this.#disposed || this.#cancelSoon !== undefined) return;
    this.#cancelSoon = this.#options.clock.after(GATHER_MS, () => {
      this.#cancelSoon = undefined;
      this.#check = this.#check.then(() => this.#checkNow(true));
    });
  }

  /** Events can be about other files of the directory, so for a file its own stamp must have changed. */
  async #checkNow(isEvent: boolean): Promise<void> {
    const { path, changed } = this.#options;
    this.#cancelLater();
    const [isNew, stats] = await Promise.all([this.#follow(), statOrNone(path)]);
    const stamp = fileStamp(stats);
    if (this.#disposed) return;
    // A new watch reports events only once it is ready, and being ready counts as an event: it checks again then.
    if (!isNew && ((isEvent && this.#watched?.folder === true) || stamp !== this.#stamp)) changed();
    if (!isNew) this.#stamp = stamp;
    this.#checkLater();
  }

  #checkLater(): void {
    const { clock } = this.#options;
    const ms = this.#watched?.isThere === true ? CHECK_MS - (clock.monoMs() % CHECK_MS) : GONE_MS;
    this.#cancelLater = clock.after(ms, () => {
      this.#check = this.#check.then(() => this.#checkNow(false));
    });
  }

  /** Watches the directories that are there now. True when they are others than before; another check follows then. */
  async #follow(): Promise<boolean> {
    const found = await this.#locate();
    if (this.#disposed || (found.key === this.#watched?.key && !this.#isMoved)) return false;
    const before = this.#watcher;
    this.#watcher = undefined;
    this.#watched = found;
    this.#isMoved = false;
    await before?.close();
    if (!found.hasTop || this.#disposed) return false;
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
    if (this.#disposed) return;
    const dirs = [...new Set([top, target])];
    const watcher = watch(dirs, { depth: folder ? 1 : 0, followSymlinks: false, ignoreInitial: true });
    this.#watcher = watcher;
    watcher.on('all', (event, path) => {
      if (event === 'unlinkDir' && dirs.includes(resolve(path))) this.#isMoved = true;
      this.#checkSoon();
    });
    // The removal of a directory is an event with the name of the directory itself.
    watcher.on('raw', (event, name) => {
      if (event === 'rename' && dirs.some((dir) => name === dir || name === basename(dir))) this.#isMoved = true;
      this.#checkSoon();
    });
    watcher.on('error', (error) => this.#reportLost(error));
    watcher.on('ready', () => this.#checkSoon());
  }

  async #locate(): Promise<WatchTarget> {
    const { path } = this.#options;
    const isFolder = this.#options.folder ?? (await statOrNone(path))?.isDirectory() ?? false;
    const top = isFolder ? path : dirname(path);
    const [real, topStats] = await Promise.all([realpath(path).catch(() => undefined), statOrNone(top)]);
    const leadsTo = real ?? path;
    const target = isFolder ? leadsTo : dirname(leadsTo);
    const targetStats = target === top ? topStats : await statOrNone(target);
    const key = [isFolder, top, idOf(topStats), target, idOf(targetStats)].join(' ');
    const isDangling = real === undefined && (await isLink(path));
    return {
      folder: isFolder,
      top,
      target,
      key,
      hasTop: topStats !== undefined,
      isThere: topStats !== undefined && !isDangling,
    };
  }

  #reportLost(error: unknown): void {
    const code = errnoWord(error);
    if (this.#disposed || code === this.#lostCode) return;
    this.#lostCode = code;
    this.#options.lost(code);
  }
}

const statOrNone = (path: string): Promise<Stats | undefined> => stat(path).catch(() => undefined);

const isLink = (path: string): Promise<boolean> =>
  lstat(path).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  );

/** Some file systems reuse the number of an inode at once; the time of birth tells the two apart where it is known. */
const idOf = (stats: Stats | undefined): string =>
  stats === undefined ? '-' : `${stats.dev}:${stats.ino}:${stats.birthtimeMs}`;
