import { constants } from 'node:fs';
import { join } from 'node:path';
import type { Disk, DiskHandle } from './disk.ts';
import { inParallel } from './in-parallel.ts';
import { generationName } from './names.ts';
import type { Plan, PlannedFile, PlannedFolder } from './plan.ts';
import { errno, trouble } from './trouble.ts';
import { openFolder, setOwner, syncHandle, type Volume } from './volume.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
const CREATE = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;

/**
 * Fills an empty generation directory that was just made (0700, ours). When this resolves every file, mode and owner
 * is as planned, and on disk unless on tmpfs.
 *
 * The files are made below an open handle of the directory (`/proc/self/fd/N`, where there is one), not below its
 * path: somebody who may write the output's directory could exchange the path for a symlink between two of our calls.
 * Within it nobody else may write.
 * @throws PannierError OUTPUT_NOT_WRITABLE, OUTPUT_FULL, OUTPUT_OWNER, OUTPUT_OCCUPIED (two names that exclude each
 * other, `a` and `a/b`); what was written is left for the caller to remove.
 */
export async function fillCandidate(path: string, plan: Plan, volume: Volume, place: string): Promise<void> {
  const { disk } = volume;
  const root = await openFolder(disk, path);
  try {
    const base = volume.procFd ? `/proc/self/fd/${root.fd}` : path;
    // 1. Folders, still private; parents come first in the plan.
    const inner = plan.folders.slice(1);
    for (const { name } of inner) {
      try {
        await disk.mkdir(join(base, name), { mode: 0o700 });
      } catch (error) {
        throw trouble(error, place, `cannot make ${join(path, name)}`);
      }
    }
    // 2. Files: bytes, then owner, then mode, so that no class reads before it may.
    await inParallel(plan.files, (file) =>
      writeFile(join(base, file.name), join(path, file.name), file, volume, place),
    );
    // 3. Folders get owner and mode when nothing has to be made in them any more; children before parents.
    for (const folder of inner.toReversed()) {
      const handle = await openFolder(disk, join(base, folder.name));
      try {
        await finishFolder(handle, folder, volume, place, join(path, folder.name));
      } finally {
        await handle.close();
      }
    }
    await finishFolder(root, plan.folders[0] as PlannedFolder, volume, place, path);
  } catch (error) {
    throw trouble(error, place, `cannot write ${path}`);
  } finally {
    await root.close();
  }
}

/**
 * Makes the directory of the first free number from `from` on. A taken one is skipped, not emptied: whoever made it
 * after our start is not ours to judge, and a leftover goes with the next sweep.
 */
export async function makeGeneration(
  disk: Disk,
  dir: string,
  from: number,
): Promise<{ generation: number; path: string }> {
  for (let generation = from; ; generation++) {
    const path = join(dir, generationName(generation));
    try {
      await disk.mkdir(path, { mode: 0o700 });
      return { generation, path };
    } catch (error) {
      if (errno(error) !== 'EEXIST' || generation >= from + TRIES) throw error;
    }
  }
}

const TRIES = 100;

/** Removes a generation's directory, or whatever stands under its name, without following a symlink. */
export async function removeGeneration(disk: Disk, path: string): Promise<void> {
  await disk.rm(path, { recursive: true, force: true });
}

async function writeFile(at: string, shown: string, file: PlannedFile, { tmpfs, disk }: Volume, place: string) {
  try {
    const handle = await disk.open(at, CREATE, 0o600);
    try {
      await handle.writeFile(file.bytes);
      await setOwner(handle, file.owner, place, shown);
      await handle.chmod(file.mode); // not left to open's mode: that one goes through the umask
      if (tmpfs !== true) await syncHandle(handle);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw trouble(error, place, `cannot write ${shown}`);
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
  if (tmpfs !== true) await syncHandle(handle);
}
