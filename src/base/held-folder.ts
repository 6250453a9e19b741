import { accessSync, constants, readlinkSync, type Stats } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, readlink, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Linux has O_PATH, and Node does not name it: a descriptor that needs no permission to read. Elsewhere it is 0. */
const O_PATH = process.platform === 'linux' ? 0o10000000 : 0;
const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;

/** Opens a folder to start paths from; a symlink in its place is ENOTDIR or ELOOP. */
export const HOLD_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_PATH;

/** The kernel gives up after as many symlinks, path_resolution(7). */
const MAX_LINKS = 40;

const PROC = 0x9fa0;

/** A folder that is held open. Paths that start at `at` stay in it, whatever becomes of the path that led there. */
export interface HeldFolder extends AsyncDisposable {
  readonly at: string;
  readonly stats: Stats;
  /** Made by this call, and empty: somebody else may have put another folder in its place at once. */
  readonly made: boolean;
}

export interface HoldOptions {
  /** Makes the folder with this mode when it is missing, and its parents with 0755 under the umask. */
  readonly make?: number;
  /**
   * A symlink in the place of the folder itself is an error, whoever owns it. Symlinks on the way are judged as always.
   */
  readonly refuseLink?: boolean;
}

/**
 * Somebody else could let this symlink lead anywhere. It looks like the error of a system call, so that code which
 * knows nothing of it tells ELOOP.
 */
export class ForeignLinkError extends Error {
  readonly code = 'ELOOP';
  readonly syscall = 'open';
  /** Where the symlink is. */
  readonly link: string;

  constructor(link: string) {
    super('a symlink that is not followed');
    this.link = link;
  }
}

/**
 * Opens a folder by its absolute path, and makes it if that is asked for.
 *
 * A process of root that acts in a folder of the application must not let the application choose where: symlinks on the
 * way are followed only when root or this process's own user made them, in a folder where nobody else can exchange
 * them (`/var/run` is such a one). The way is gone by descriptors, so that an exchange between two calls changes
 * nothing. Where `/proc/self/fd` does not work (not Linux) the path is taken as it is, and `at` is the path.
 * @throws ForeignLinkError; errors of system calls as they are.
 */
export async function holdFolder(path: string, options: HoldOptions = {}): Promise<HeldFolder> {
  let handle: FileHandle;
  try {
    handle = await open(path, HOLD_FLAGS);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && options.make !== undefined && path !== '/') return await makeFolder(path, options.make);
    if (code !== 'ENOTDIR' && code !== 'ELOOP') throw error;
    if (options.refuseLink === true && (await lstat(path)).isSymbolicLink()) throw new ForeignLinkError(path);
    return await heldFrom(hasProcFd() ? await walk(path, options) : await open(path, O_RDONLY | O_DIRECTORY), path);
  }
  // The kernel says where the folder is. That is its path: no symlink led there, and nothing needs to be judged.
  if (!hasProcFd() || readlinkSync(`/proc/self/fd/${handle.fd}`) === path) return await heldFrom(handle, path);
  await handle.close();
  return await heldFrom(await walk(path, options), path);
}

/** Opens a folder in a held one. @throws errors of system calls: ENOTDIR or ELOOP for a symlink. */
export async function holdInside(folder: HeldFolder, name: string): Promise<HeldFolder> {
  const path = join(folder.at, name);
  return await heldFrom(await open(path, HOLD_FLAGS), path);
}

/** What stands at a path, held so that its mode and owner can be set by `at` without following a symlink. */
export interface HeldEntry extends AsyncDisposable {
  readonly at: string;
  readonly stats: Stats;
}

/** Holds anything, also a socket or a symlink, without opening it. The caller looks at `stats` before it acts. */
export async function holdEntry(path: string): Promise<HeldEntry> {
  if (!hasProcFd()) return { at: path, stats: await lstat(path), [Symbol.asyncDispose]: async () => {} };
  return await heldFrom(await open(path, O_PATH | O_NOFOLLOW), path);
}

/** Whether two looks met one and the same file or folder. */
export function isSameFile(a: Stats, b: Stats): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}

/**
 * Whether paths can start from a descriptor: not where /proc is absent, nor in a process that may not look at itself
 * (a binary with file capabilities).
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

async function heldFrom(handle: FileHandle, path: string, made = false): Promise<HeldFolder> {
  try {
    const at = hasProcFd() ? `/proc/self/fd/${handle.fd}` : path;
    return { at, stats: await handle.stat(), made, [Symbol.asyncDispose]: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function makeFolder(path: string, mode: number): Promise<HeldFolder> {
  await using parent = await holdFolder(dirname(path), { make: 0o755 });
  const at = join(parent.at, basename(path));
  let made = true;
  try {
    await mkdir(at, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    made = false;
  }
  if (!made && (await lstat(at)).isSymbolicLink()) throw new ForeignLinkError(path);
  const held = await heldFrom(await open(at, HOLD_FLAGS), path, made);
  if (!made || !mayOthersWrite(parent.stats) || (await readdir(held.at)).length === 0) return held;
  return { ...held, made: false };
}

/** Opens a folder component by component. */
async function walk(path: string, { refuseLink = false }: HoldOptions): Promise<FileHandle> {
  const left = path.split('/').filter((name) => name !== '');
  let folder = await open('/', HOLD_FLAGS);
  let links = 0;
  try {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      const at = `/proc/self/fd/${folder.fd}/${name}`;
      let next = await open(at, O_PATH | O_NOFOLLOW);
      if ((await next.stat()).isSymbolicLink()) {
        const isTrusted = await isTrustedLink(folder, next);
        await next.close();
        if (!isTrusted || (refuseLink && left.length === 0)) throw new ForeignLinkError(shown(at, folder));
        if (++links > MAX_LINKS) throw new ForeignLinkError(path);
        // A link of the kernel's, /proc/1/root for one, leads where its text does not.
        if ((await statfs(`/proc/self/fd/${folder.fd}`)).type === PROC)
          next = await open(at, O_RDONLY | O_DIRECTORY | O_PATH);
        else {
          const target = await readlink(at);
          left.unshift(...target.split('/').filter((part) => part !== '' && part !== '.'));
          if (!target.startsWith('/')) continue;
          next = await open('/', HOLD_FLAGS);
        }
      }
      await folder.close();
      folder = next;
    }
    if (!(await folder.stat()).isDirectory())
      throw Object.assign(new Error('no folder'), { code: 'ENOTDIR', syscall: 'open' });
    return folder;
  } catch (error) {
    await folder.close();
    throw error;
  }
}

function shown(at: string, folder: FileHandle): string {
  return join(readlinkSync(`/proc/self/fd/${folder.fd}`), basename(at));
}

async function isTrustedLink(folder: FileHandle, link: FileHandle): Promise<boolean> {
  return isOwn((await link.stat()).uid) && isPrivate(await folder.stat());
}

/** Whether nobody but root and this process's user can exchange what root or that user put into the folder. */
export function isPrivate(folder: Stats): boolean {
  return isOwn(folder.uid) && ((folder.mode & 0o1000) !== 0 || !mayOthersWrite(folder));
}

/** Whether somebody else than root and this process's user can put something into the folder. */
export function mayOthersWrite({ uid, gid, mode }: Stats): boolean {
  const isOurGroup = gid === 0 || gid === process.getegid?.();
  return !isOwn(uid) || (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && !isOurGroup);
}

/** Whether root or this process's user owns it. */
export function isOwn(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.();
}
