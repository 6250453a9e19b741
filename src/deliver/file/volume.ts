import { constants } from 'node:fs';
import { access, lstat, mkdir, rmdir, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fail } from '../../base/errors.ts';
import type { OutputConfig } from '../../config/config.ts';
import { type Disk, type DiskHandle, memoryDisk, slowDisk } from './disk.ts';
import { type Owner, planNewDir } from './plan.ts';
import { errno, ownerTrouble, trouble, unless } from './trouble.ts';

const TMPFS = 0x01021994;
const RAMFS = 0x858458f6;
const OPEN_FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** What is known of the place an output's directory is in. */
export interface Volume {
  /** Undefined where that cannot be told (not Linux). */
  readonly tmpfs: boolean | undefined;
  readonly disk: Disk;
  /** Whether `/proc/self/fd` works here, so that paths can start from an open folder. */
  readonly procFd: boolean;
  /** What files get that name no owner; undefined where there are no owners. */
  readonly inherited: { readonly uid: number; readonly gid: number } | undefined;
}

/**
 * Makes the directory when it is missing and looks at what it is on. A directory that exists is never chmodded.
 * Missing parents are made 0755 under the umask: they hold nothing of ours but the directory.
 * @throws PannierError OUTPUT_SYMLINK when the last component is a symlink (parents may be: `/var/run`),
 * OUTPUT_OCCUPIED when it is no directory, OUTPUT_NOT_WRITABLE, OUTPUT_OWNER, OUTPUT_NOT_TMPFS
 */
export async function openVolume(output: OutputConfig, dir: string, place: string): Promise<Volume> {
  try {
    const found = (await unless('ENOENT', () => lstat(dir))) ?? (await makeDir(output, dir, place));
    if (found.isSymbolicLink()) throw fail('OUTPUT_SYMLINK', place, `${dir} is a symlink`);
    if (!found.isDirectory()) throw fail('OUTPUT_OCCUPIED', place, `${dir} is not a directory`);
    await access(dir, constants.W_OK | constants.X_OK);
    const tmpfs = await isTmpfs(dir);
    if (output.requireTmpfs && tmpfs !== true) throw fail('OUTPUT_NOT_TMPFS', place, `${dir} is not on tmpfs`);
    const disk = tmpfs === true ? memoryDisk : slowDisk;
    return { tmpfs, disk, procFd: await hasProcFd(), inherited: inheritedOwner(found) };
  } catch (error) {
    throw trouble(error, place, `cannot use ${dir}`);
  }
}

/** Opens a folder, which must be one: a symlink in its place is ELOOP or ENOTDIR. The caller closes it. */
export async function openFolder(disk: Disk, path: string): Promise<DiskHandle> {
  return await disk.open(path, OPEN_FOLDER);
}

/** A rename is on disk when its folder is. Does nothing on tmpfs; a file system that cannot is left alone. */
export async function syncFolder(path: string, { tmpfs, disk }: Volume): Promise<void> {
  if (tmpfs === true) return;
  const folder = await openFolder(disk, path);
  try {
    await syncHandle(folder);
  } finally {
    await folder.close();
  }
}

/** fsync, where the file system knows it. */
export async function syncHandle(handle: DiskHandle): Promise<void> {
  await unless('EINVAL', () => handle.sync());
}

async function makeDir(output: OutputConfig, dir: string, place: string) {
  await mkdir(dirname(dir), { recursive: true, mode: 0o755 });
  try {
    await mkdir(dir, { mode: 0o700 });
  } catch (error) {
    if (errno(error) !== 'EEXIST') throw error;
    return lstat(dir);
  }
  const { mode, owner } = planNewDir(output);
  const folder = await openFolder(slowDisk, dir);
  try {
    await setOwner(folder, owner, place, dir);
    await folder.chmod(mode);
    return await folder.stat();
  } catch (error) {
    await rmdir(dir).catch(() => undefined); // half made, it would pass for one that was there before
    throw error;
  } finally {
    await folder.close();
  }
}

/** @throws PannierError OUTPUT_OWNER when refused. Does nothing when no id is given. */
export async function setOwner(handle: DiskHandle, { uid, gid }: Owner, place: string, what: string): Promise<void> {
  if (uid === undefined && gid === undefined) return;
  try {
    await handle.chown(uid ?? -1, gid ?? -1);
  } catch (error) {
    throw ownerTrouble(error, place, `cannot set the owner of ${what}`);
  }
}

async function isTmpfs(dir: string): Promise<boolean | undefined> {
  if (process.platform !== 'linux') return undefined;
  const type = (await statfs(dir)).type;
  return type === TMPFS || type === RAMFS;
}

/** Not where /proc is absent, nor in a process that may not look at itself (a binary with file capabilities). */
async function hasProcFd(): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  return access('/proc/self/fd', constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** A setgid directory hands its group down (as an `fsGroup` volume does); elsewhere than Linux every directory does. */
function inheritedOwner(dir: { mode: number; gid: number }): Volume['inherited'] {
  const uid = process.geteuid?.();
  const gid = process.getegid?.();
  if (uid === undefined || gid === undefined) return undefined;
  return { uid, gid: process.platform !== 'linux' || dir.mode & 0o2000 ? dir.gid : gid };
}
