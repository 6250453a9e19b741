import fs, { accessSync, closeSync, constants, readlinkSync, type Stats } from 'node:fs';
import { lstat, mkdir, readdir, readlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

/**
 * O_PATH of Linux, which Node has no constant for: it opens a descriptor without permission to read. 0 on other
 * systems.
 */
const O_PATH = process.platform === 'linux' ? 0o10000000 : 0;
const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;

/** Flags that open a folder for paths to start from; a symlink in its place gives ENOTDIR or ELOOP. */
export const HOLD_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_PATH;

/** How many symlinks of one path are followed, as in the kernel: path_resolution(7). */
export const MAX_LINKS = 40;

/** PROC_SUPER_MAGIC: the type of a proc file system, see statfs(2). */
export const PROC = 0x9fa0;

const TMPFS = 0x01021994;
const RAMFS = 0x858458f6;

const openFile = promisify(fs.open);
const statFile = promisify(fs.fstat);
const statfs = promisify(fs.statfs);

/** A folder that is held open. Paths that start at `at` stay in it, even when the path that led there is exchanged. */
export interface HeldFolder extends AsyncDisposable {
  readonly at: string;
  readonly stats: Stats;
  /**
   * Whether the folder is on tmpfs, where calls answer at once and may be made synchronously; undefined where this
   * cannot be determined (not Linux).
   */
  readonly tmpfs: boolean | undefined;
  /** Whether this call made the folder. False also when it is not empty: another user may have exchanged it. */
  readonly made: boolean;
}

/** How a folder is opened. */
export interface HoldOptions {
  /** Makes the folder with this mode when it is missing, and its parents with 0755 under the umask. */
  readonly make?: number;
  /** With `make`, false: a missing parent is an error (ENOENT). */
  readonly parents?: false;
  /** A symlink in the place of the folder itself is an error, also a trusted one. Absent: only untrusted ones are. */
  readonly refuseLink?: boolean;
}

/**
 * Another user can let this symlink lead anywhere, so it is not followed. The error looks like one of a system call, so
 * that code which does not know this class reports ELOOP.
 */
export class ForeignLinkError extends Error {
  readonly code = 'ELOOP';
  readonly syscall = 'open';
  /** The path of the symlink. */
  readonly link: string;

  constructor(link: string) {
    super('a symlink that is not followed');
    this.link = link;
  }
}

/**
 * Opens a folder by its absolute path, and makes it when `options.make` is set.
 *
 * A process of root that writes into a folder of the application must not let the application choose another folder. So
 * a symlink of the path is followed only when root or this process's user made it, in a folder where no other user can
 * exchange it (`/var/run` is such a symlink). Each part of the path is opened from the descriptor of the one before, so
 * an exchange between two calls has no effect. Where `/proc/self/fd` does not work (not Linux) the path is used as it
 * is, and `at` is the path.
 * @throws ForeignLinkError; errors of system calls, untranslated.
 */
export async function holdFolder(path: string, options: HoldOptions = {}): Promise<HeldFolder> {
  let fd: number;
  try {
    fd = await openFile(path, HOLD_FLAGS);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && options.make !== undefined && path !== '/')
      return await makeFolder(path, options.make, options.parents);
    if (code !== 'ENOTDIR' && code !== 'ELOOP') throw error;
    if (options.refuseLink === true && (await lstat(path)).isSymbolicLink()) throw new ForeignLinkError(path);
    return await heldFrom(hasProcFd() ? await walk(path, options) : await openFile(path, O_RDONLY | O_DIRECTORY), path);
  }
  // The kernel names the same path for the descriptor, so no symlink led there and there is none to check.
  if (!hasProcFd() || readlinkSync(`/proc/self/fd/${fd}`) === path) return await heldFrom(fd, path);
  closeSync(fd);
  return await heldFrom(await walk(path, options), path);
}

/** Opens a folder inside a held one. @throws errors of system calls, untranslated; ENOTDIR or ELOOP for a symlink. */
export async function holdInside(folder: HeldFolder, name: string): Promise<HeldFolder> {
  const path = join(folder.at, name);
  return await heldFrom(await openFile(path, HOLD_FLAGS), path);
}

/** A file of any type that is held, so that its mode and owner can be set by `at` without following a symlink. */
export interface HeldEntry extends AsyncDisposable {
  readonly at: string;
  readonly stats: Stats;
}

/**
 * Holds a file of any type, also a socket or a symlink, without opening it. The caller checks `stats` before it acts.
 */
export async function holdEntry(path: string): Promise<HeldEntry> {
  if (!hasProcFd()) return { at: path, stats: await lstat(path), [Symbol.asyncDispose]: async () => {} };
  const fd = await openFile(path, O_PATH | O_NOFOLLOW);
  try {
    return { at: `/proc/self/fd/${fd}`, stats: await statFile(fd), [Symbol.asyncDispose]: closeOnce(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Whether both are of one and the same file or folder. */
export function isSameFile(a: Stats, b: Stats): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}

/**
 * Whether paths can start from a descriptor. They cannot where /proc is absent, nor in a process that may not read its
 * own entry in /proc (a binary with file capabilities).
 */
export function hasProcFd(): boolean {
  procFd ??= process.platform === 'linux' && mayEnter('/proc/self/fd');
  return procFd;
}

let procFd: boolean | undefined;

function mayEnter(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether `type`, of statfs(2), is a file system in memory. */
export function isMemory(type: number): boolean {
  return type === TMPFS || type === RAMFS;
}

/** The first call for a descriptor may hang, so it runs in the thread pool. On tmpfs the next one does not need to. */
async function heldFrom(fd: number, path: string, made = false): Promise<HeldFolder> {
  try {
    const at = hasProcFd() ? `/proc/self/fd/${fd}` : path;
    const tmpfs = process.platform === 'linux' ? isMemory((await statfs(at)).type) : undefined;
    return heldAs(fd, { at, tmpfs, made, stats: tmpfs === true ? fs.fstatSync(fd) : await statFile(fd) });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function heldAs(fd: number, held: Omit<HeldFolder, typeof Symbol.asyncDispose>): HeldFolder {
  return { ...held, [Symbol.asyncDispose]: closeOnce(fd) };
}

/**
 * Closes a descriptor that nothing is written by, so that closing does not wait. Later calls do nothing: the number may
 * be that of another file by then.
 */
function closeOnce(fd: number): () => Promise<void> {
  let isOpen = true;
  return async () => {
    if (isOpen) closeSync(fd);
    isOpen = false;
  };
}

async function makeFolder(path: string, mode: number, parents = true): Promise<HeldFolder> {
  await using parent = await holdFolder(dirname(path), parents ? { make: 0o755 } : {});
  const at = join(parent.at, basename(path));
  let made = true;
  try {
    if (parent.tmpfs === true) fs.mkdirSync(at, { mode });
    else await mkdir(at, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    made = false;
  }
  if (!made && (await lstat(at)).isSymbolicLink()) throw new ForeignLinkError(path);
  const held =
    made && parent.tmpfs === true ? heldInMemory(at, path) : await heldFrom(await openFile(at, HOLD_FLAGS), path, made);
  if (!made || !mayOthersWrite(parent.stats) || (await readdir(held.at)).length === 0) return held;
  return { ...held, made: false };
}

/** Opens a folder that was just made on tmpfs: nothing else can be mounted there yet, so no call hangs. */
function heldInMemory(at: string, path: string): HeldFolder {
  const fd = fs.openSync(at, HOLD_FLAGS);
  try {
    const own = hasProcFd() ? `/proc/self/fd/${fd}` : path;
    return heldAs(fd, { at: own, tmpfs: isMemory(fs.statfsSync(own).type), made: true, stats: fs.fstatSync(fd) });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Opens a folder, one part of its path after another. */
async function walk(path: string, { refuseLink = false }: HoldOptions): Promise<number> {
  const left = path.split('/').filter((name) => name !== '');
  let folder = await openFile('/', HOLD_FLAGS);
  let links = 0;
  try {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      const at = `/proc/self/fd/${folder}/${name}`;
      let next = await openFile(at, O_PATH | O_NOFOLLOW);
      if ((await statFile(next)).isSymbolicLink()) {
        const isTrusted = await isTrustedLink(folder, next);
        closeSync(next);
        if (!isTrusted || (refuseLink && left.length === 0)) throw new ForeignLinkError(shown(at, folder));
        if (++links > MAX_LINKS) throw new ForeignLinkError(path);
        // The kernel's own links, such as /proc/1/root, lead elsewhere than their text says.
        if ((await statfs(`/proc/self/fd/${folder}`)).type === PROC)
          next = await openFile(at, O_RDONLY | O_DIRECTORY | O_PATH);
        else {
          const target = await readlink(at);
          left.unshift(...target.split('/').filter((part) => part !== '' && part !== '.'));
          if (!target.startsWith('/')) continue;
          next = await openFile('/', HOLD_FLAGS);
        }
      }
      closeSync(folder);
      folder = next;
    }
    if (!(await statFile(folder)).isDirectory())
      throw Object.assign(new Error('no folder'), { code: 'ENOTDIR', syscall: 'open' });
    return folder;
  } catch (error) {
    closeSync(folder);
    throw error;
  }
}

function shown(at: string, folder: number): string {
  return join(readlinkSync(`/proc/self/fd/${folder}`), basename(at));
}

async function isTrustedLink(folder: number, link: number): Promise<boolean> {
  return isOwn((await statFile(link)).uid) && isPrivate(await statFile(folder));
}

/** Whether only root and this process's user can exchange what root or that user put into the folder. */
export function isPrivate(folder: Stats): boolean {
  return isOwn(folder.uid) && ((folder.mode & 0o1000) !== 0 || !mayOthersWrite(folder));
}

/** Whether other users than root and this process's user can put something into the folder. */
export function mayOthersWrite({ uid, gid, mode }: Stats): boolean {
  const isOurGroup = gid === 0 || gid === process.getegid?.();
  return !isOwn(uid) || (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && !isOurGroup);
}

/** Whether the user is root or the one that this process runs as. */
export function isOwn(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.();
}
