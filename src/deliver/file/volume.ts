import { constants, type Stats } from 'node:fs';
import { open, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf } from '../../base/errno.ts';
import { fail } from '../../base/errors.ts';
import { ForeignLinkError, type HeldFolder, hasProcFd, holdFolder, isMemory } from '../../base/held-folder.ts';
import type { OutputConfig } from '../../config/config.ts';
import { FOREIGN_LINK_HINT } from '../foreign-link.ts';
import { type Disk, type DiskHandle, memoryDisk, slowDisk, syncOf } from './disk.ts';
import { type FileOwner, planNewDir } from './plan.ts';
import { diskFailure, ownerFailure } from './trouble.ts';

const OPEN_FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** The file system that an output's directory is on. */
export interface Volume {
  /** Undefined where this cannot be determined (not Linux). */
  readonly tmpfs: boolean | undefined;
  /** How calls to this file system are made. */
  readonly disk: Disk;
  /** Whether `/proc/self/fd` works here, so that paths can start from an open folder. */
  readonly procFd: boolean;
  /** The owner of files for which none is configured; undefined where the system has no owners. */
  readonly inherited: { readonly uid: number; readonly gid: number } | undefined;
}

export interface OpenVolume {
  readonly volume: Volume;
  /** The open directory. The caller disposes of it. */
  readonly held: HeldFolder;
}

/**
 * Opens an output's directory and inspects its file system. A missing directory is made when `make` says so; one that
 * exists is never chmodded. Missing parents are made 0755 under the umask, since they hold no secret themselves.
 * @throws PannierError OUTPUT_SYMLINK when the last component is a symlink, or an earlier one is a symlink that another
 * user could exchange (`/var/run` is fine); OUTPUT_OCCUPIED when it is not a directory, OUTPUT_NOT_WRITABLE,
 * OUTPUT_OWNER, OUTPUT_NOT_TMPFS.
 */
export async function openVolume(output: OutputConfig, dir: string, place: string, make: boolean): Promise<OpenVolume> {
  let held: HeldFolder | undefined;
  try {
    held = await holdFolder(dir, { refuseLink: true, ...(make ? { make: 0o700 } : {}) });
    const { tmpfs } = held;
    const disk = tmpfs === true ? memoryDisk : slowDisk;
    const found = held.made ? await setUp(held, output, dir, place) : held.stats;
    if (!held.made) await disk.access(held.at, constants.W_OK | constants.X_OK);
    if (output.requireTmpfs && tmpfs !== true) throw notTmpfs(dir, place);
    return { volume: { tmpfs, disk, procFd: hasProcFd(), inherited: inheritedOwner(found) }, held };
  } catch (error) {
    await held?.[Symbol.asyncDispose]();
    if (error instanceof ForeignLinkError) throw foreignLink(error, dir, place);
    if (errnoOf(error) === 'ENOTDIR') throw fail('OUTPUT_OCCUPIED', place, `${dir} is not a directory`);
    throw diskFailure(error, place, `cannot use ${dir}`);
  }
}

/**
 * Whether a folder is on tmpfs; undefined where this cannot be determined.
 * @param at `Folder.at` of an open folder: another file system may be mounted at the path by now.
 */
export async function isTmpfs(disk: Disk, at: string): Promise<boolean | undefined> {
  if (process.platform !== 'linux') return undefined;
  return isMemory((await disk.statfs(at)).type);
}

export function notTmpfs(dir: string, place: string) {
  return fail('OUTPUT_NOT_TMPFS', place, `${dir} is not on tmpfs`);
}

/** Opens a folder; the caller closes it. @throws ELOOP or ENOTDIR when something else is there, a symlink included. */
export async function openFolder(disk: Disk, path: string): Promise<DiskHandle> {
  return await disk.open(path, OPEN_FOLDER);
}

/** Syncs a folder, and so the renames in it. Does nothing on tmpfs, or where the file system cannot do it. */
export async function syncFolder(at: string, { tmpfs, disk }: Volume): Promise<void> {
  if (tmpfs === true) return;
  const folder = await disk.open(at, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await syncOf(folder);
  } finally {
    await folder.close();
  }
}

type Mode = Pick<Stats, 'mode' | 'gid'>;

/**
 * Gives a new directory its mode and owner. When that fails it is removed: at the next start a half-made directory
 * would pass for one that was there before.
 */
async function setUp(held: HeldFolder, output: OutputConfig, dir: string, place: string): Promise<Mode> {
  const { mode, owner } = planNewDir(output);
  const isDone = (held.stats.mode & 0o7777) === mode && owner.uid === undefined && owner.gid === undefined;
  if (isDone) return held.stats;
  try {
    const folder = await open(held.at, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await setOwner(folder, owner, place, dir);
      await folder.chmod(mode);
      return { mode, gid: owner.gid ?? held.stats.gid };
    } finally {
      await folder.close();
    }
  } catch (error) {
    await using parent = await holdFolder(dirname(dir));
    await rmdir(join(parent.at, basename(dir))).catch(() => undefined);
    throw error;
  }
}

/** Sets the owner; does nothing when no id is given. @throws PannierError OUTPUT_OWNER when it is refused. */
export async function setOwner(
  handle: DiskHandle,
  { uid, gid }: FileOwner,
  place: string,
  what: string,
): Promise<void> {
  if (uid === undefined && gid === undefined) return;
  try {
    await handle.chown(uid ?? -1, gid ?? -1);
  } catch (error) {
    throw ownerFailure(error, place, `cannot set the owner of ${what}`);
  }
}

function foreignLink({ link }: ForeignLinkError, dir: string, place: string) {
  if (link === dir) return fail('OUTPUT_SYMLINK', place, `${dir} is a symlink`);
  const seen = `${link}, on the way to ${dir}, is a symlink that another user can exchange`;
  return fail('OUTPUT_SYMLINK', place, seen, { hint: FOREIGN_LINK_HINT });
}

/**
 * The owner that new files in a directory get. A setgid directory hands its group down (as an `fsGroup` volume does);
 * outside Linux every directory does.
 */
function inheritedOwner(dir: Mode): Volume['inherited'] {
  const uid = process.geteuid?.();
  const gid = process.getegid?.();
  if (uid === undefined || gid === undefined) return undefined;
  return { uid, gid: process.platform !== 'linux' || dir.mode & 0o2000 ? dir.gid : gid };
}
