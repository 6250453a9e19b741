import { basename, dirname, join } from 'node:path';
import { errnoOf } from '../../base/errno.ts';
import { fail } from '../../base/errors.ts';
import { type Disk, type DiskHandle, syncOf } from './disk.ts';
import type { Folder } from './folder.ts';
import { inParallel } from './in-parallel.ts';
import { generationName } from './names.ts';
import type { GenerationPlan, PlannedFile, PlannedFolder } from './plan.ts';
import { diskFailure, ownerFailure } from './trouble.ts';
import { openFolder, setOwner, type Volume } from './volume.ts';

/**
 * Fills an empty generation directory that was just made with mode 0700. When this resolves every file, mode and owner
 * is as planned, and synced to disk unless on tmpfs.
 *
 * A user who may write in the output's directory can exchange the generation for another directory, or for one of
 * their own and then exchange its contents. So each folder is opened without following a symlink, must be empty, and
 * is filled and given its owner through its descriptor (`/proc/self/fd/N`, where there is one).
 * @param path starts from the open directory of the output
 * @param shown the same path for messages
 * @throws PannierError OUTPUT_NOT_WRITABLE, OUTPUT_FULL, OUTPUT_OWNER, OUTPUT_OCCUPIED (two names that exclude each
 * other, `a` and `a/b`; a directory that was exchanged); what was written is left for the caller to remove.
 */
export async function fillCandidate(
  path: string,
  shown: string,
  plan: GenerationPlan,
  volume: Volume,
  place: string,
): Promise<void> {
  const [root, ...folders] = plan.folders;
  const filling = { folders: byParent(folders), files: byParent(plan.files), volume, place };
  try {
    await fillFolder(path, shown, root as PlannedFolder, filling);
  } catch (error) {
    throw diskFailure(error, place, `cannot write ${shown}`);
  }
}

/**
 * Makes the directory of the first free number from `from` on, and answers the number. A directory that exists already
 * is skipped, not emptied: another process may be using it, and the next sweep removes leftovers.
 * @throws errors of system calls as they are, EEXIST when too many numbers are taken.
 */
export async function makeGeneration(disk: Disk, folder: Folder, from: number): Promise<number> {
  for (let generation = from; ; generation++) {
    try {
      await disk.mkdir(folder.at(generationName(generation)), { mode: 0o700 });
      return generation;
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST' || generation >= from + MAX_SKIPPED) throw error;
    }
  }
}

/** How many taken numbers are skipped. */
const MAX_SKIPPED = 100;

interface Filling {
  /** Folders by the name of their parent; the empty name is the generation's directory. */
  readonly folders: ReadonlyMap<string, readonly PlannedFolder[]>;
  /** Files by the name of their folder. */
  readonly files: ReadonlyMap<string, readonly PlannedFile[]>;
  readonly volume: Volume;
  readonly place: string;
}

function byParent<T extends { readonly name: string }>(items: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const parent = item.name.includes('/') ? dirname(item.name) : '';
    const group = groups.get(parent);
    if (group === undefined) groups.set(parent, [item]);
    else group.push(item);
  }
  return groups;
}

async function fillFolder(path: string, shown: string, folder: PlannedFolder, filling: Filling): Promise<void> {
  const { folders, files, volume, place } = filling;
  const { disk } = volume;
  const handle = await openFolder(disk, path);
  try {
    const base = volume.procFd ? `/proc/self/fd/${handle.fd}` : path;
    // A directory that another user put there would get the generation's owner and mode.
    if ((await disk.readdir(base)).length > 0) throw fail('OUTPUT_OCCUPIED', place, `${shown} was exchanged`);
    // 1. Folders, one after the other, each with its contents.
    for (const inner of folders.get(folder.name) ?? []) {
      const at = join(base, basename(inner.name));
      const shownInner = join(shown, basename(inner.name));
      try {
        await disk.mkdir(at, { mode: 0o700 });
      } catch (error) {
        throw diskFailure(error, place, `cannot make ${shownInner}`);
      }
      await fillFolder(at, shownInner, inner, filling);
    }
    // 2. Files.
    await inParallel(files.get(folder.name) ?? [], (file) => {
      const name = basename(file.name);
      return writeFile(`${base}/${name}`, `${shown}/${name}`, file, volume, place);
    });
    // 3. The folder's own owner and mode come last, when it is complete.
    await finishFolder(handle, folder, volume, place, shown);
  } finally {
    await handle.close();
  }
}

async function writeFile(at: string, shown: string, file: PlannedFile, { tmpfs, disk }: Volume, place: string) {
  const { bytes, mode, owner } = file;
  try {
    await disk.create(at, { bytes, mode, ...owner, sync: tmpfs !== true });
  } catch (error) {
    throw isOfOwner(error)
      ? ownerFailure(error, place, `cannot set the owner of ${shown}`)
      : diskFailure(error, place, `cannot write ${shown}`);
  }
}

async function finishFolder(
  handle: DiskHandle,
  { mode, owner }: PlannedFolder,
  { tmpfs }: Volume,
  place: string,
  shown: string,
): Promise<void> {
  await setOwner(handle, owner, place, shown);
  await handle.chmod(mode);
  if (tmpfs !== true) await syncOf(handle);
}

/** Whether a failed system call was the one that sets the owner of an open file. */
function isOfOwner(error: unknown): boolean {
  return (error as { syscall?: unknown } | null)?.syscall === 'fchown';
}
