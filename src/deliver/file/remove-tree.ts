import { join } from 'node:path';
import { errnoOf } from '../../base/errno.ts';
import { isSameFile } from '../../base/held-folder.ts';
import type { Disk } from './disk.ts';
import { inParallel } from './in-parallel.ts';
import { unless } from './trouble.ts';
import { openFolder } from './volume.ts';

/** How often a name may turn from a folder into something else and back while it is removed. */
const TRIES = 10;

/**
 * Removes a file or symlink, or a folder with all that is in it. It never follows a symlink: folders are emptied by
 * their descriptors, so that an exchange at any moment removes nothing elsewhere.
 * @throws errors of system calls as they are.
 */
export async function removeTree(disk: Disk, path: string, procFd: boolean): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await removeOnce(disk, path, procFd);
    } catch (error) {
      // Another process exchanged it between two calls, or filled it again.
      const isOther = ['ENOTDIR', 'ELOOP', 'ENOTEMPTY', 'EEXIST', 'EISDIR'].includes(errnoOf(error) ?? '');
      if (!isOther || tries === TRIES) throw error;
    }
  }
}

async function removeOnce(disk: Disk, path: string, procFd: boolean): Promise<void> {
  const found = await unless('ENOENT', () => disk.lstat(path));
  if (found === undefined) return;
  if (!found.isDirectory()) return void (await unless('ENOENT', () => disk.unlink(path)));
  const folder = await openFolder(disk, path);
  try {
    const base = procFd ? `/proc/self/fd/${folder.fd}` : path;
    const stats = await folder.stat();
    await inParallel(await disk.entries(base), async (entry) => {
      if (!procFd && !isSameFile(await disk.lstat(path), stats)) return;
      const inside = join(base, entry.name);
      if (entry.isDirectory()) await removeTree(disk, inside, procFd);
      else await unless('ENOENT', () => disk.unlink(inside));
    });
  } finally {
    await folder.close();
  }
  await unless('ENOENT', () => disk.rmdir(path));
}
