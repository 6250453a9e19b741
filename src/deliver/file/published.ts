import { constants, type Stats } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../../base/errno.ts';
import { fail } from '../../base/errors.ts';
import { isSameFile } from '../../base/held-folder.ts';
import type { Disk } from './disk.ts';
import type { Folder } from './folder.ts';
import { everyInParallel } from './in-parallel.ts';
import { DATA, generationName, generationNumber } from './names.ts';
import type { FileOwner, GenerationPlan, PlannedFile, PlannedFolder } from './plan.ts';
import { unless } from './trouble.ts';
import { openFolder, type Volume } from './volume.ts';

/**
 * What `..data` points to.
 * - `none`: there is no such link.
 * - `foreign`: a symlink to something that is no generation, or beside generations something else than a symlink; it is
 *   replaced at the next publish, never followed.
 * - `lost`: it names a generation whose directory is gone.
 * - `there`: a generation is published.
 */
export type PublishedFiles =
  | { readonly state: 'none' }
  | { readonly state: 'foreign' }
  | { readonly state: 'lost'; readonly generation: number }
  | { readonly state: 'there'; readonly generation: number; readonly stats: Stats };

/**
 * @param names what is in the folder, where the caller has just listed it: nothing else is looked up.
 * @throws PannierError OUTPUT_OCCUPIED when `..data` is no symlink and Pannier never published here; system errors as
 * they are.
 */
export async function readPublished(
  disk: Disk,
  folder: Folder,
  place: string,
  names?: ReadonlySet<string>,
): Promise<PublishedFiles> {
  if (names?.has(DATA) === false) return { state: 'none' };
  let target: string;
  try {
    target = await disk.readlink(folder.at(DATA));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { state: 'none' };
    if (errnoOf(error) !== 'EINVAL') throw error;
    const beside = names ?? (await disk.readdir(folder.at()));
    if ([...beside].some((name) => generationNumber(name) !== undefined)) return { state: 'foreign' };
    throw fail('OUTPUT_OCCUPIED', place, `${folder.shown(DATA)} is not a symlink`);
  }
  const generation = generationNumber(target);
  if (generation === undefined) return { state: 'foreign' };
  const stats = await unless('ENOENT', () => disk.lstat(folder.at(generationName(generation))));
  return stats?.isDirectory() ? { state: 'there', generation, stats } : { state: 'lost', generation };
}

/**
 * Whether the published generation is this plan to the last byte, mode and owner. The disk decides: a file that was
 * changed there makes it unequal, and so does one that cannot be read. Sizes are compared before bytes.
 * @param path of the generation's directory
 * @param stats of that directory, as `readPublished` gave them
 */
export async function equalsPublished(
  path: string,
  stats: Stats,
  plan: GenerationPlan,
  volume: Volume,
): Promise<boolean> {
  const { disk } = volume;
  const [root, ...folders] = plan.folders;
  if (root === undefined || !hasAccess(stats, root.mode, root.owner, volume)) return false;
  try {
    const held = await openFolder(disk, path);
    try {
      const base = volume.procFd ? `/proc/self/fd/${held.fd}` : path;
      return isSameFile(await held.stat(), stats) && (await holdsPlan(base, folders, plan.files, volume));
    } finally {
      await held.close();
    }
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
}

async function holdsPlan(
  base: string,
  folders: readonly PlannedFolder[],
  files: readonly PlannedFile[],
  volume: Volume,
): Promise<boolean> {
  const { disk } = volume;
  return (
    (await hasExactly(disk, base, new Set([...folders, ...files].map(({ name }) => name)))) &&
    (await everyInParallel(folders, async ({ name, mode, owner }) => {
      const found = await disk.lstat(`${base}/${name}`);
      return found.isDirectory() && hasAccess(found, mode, owner, volume);
    })) &&
    (await everyInParallel(files, async ({ name, mode, owner, bytes }) => {
      const found = await disk.lstat(`${base}/${name}`);
      return found.isFile() && found.size === bytes.length && hasAccess(found, mode, owner, volume);
    })) &&
    (await everyInParallel(files, ({ name, bytes }) => holds(disk, `${base}/${name}`, bytes)))
  );
}

/** Whether the folder holds exactly the names in `left`, at any depth. Removes every name it finds from `left`. */
async function hasExactly(disk: Disk, root: string, left: Set<string>): Promise<boolean> {
  const look = async (folder: string): Promise<boolean> => {
    for (const entry of await disk.entries(join(root, folder))) {
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (!left.delete(name)) return false;
      if (entry.isDirectory() && !(await look(name))) return false;
    }
    return true;
  };
  return (await look('')) && left.size === 0;
}

export function hasAccess(found: Stats, mode: number, owner: FileOwner, { inherited }: Volume): boolean {
  if ((found.mode & 0o777) !== mode) return false;
  if (inherited === undefined) return true;
  return found.uid === (owner.uid ?? inherited.uid) && found.gid === (owner.gid ?? inherited.gid);
}

/** Whether a file holds exactly `bytes`. O_NONBLOCK: if a FIFO took the file's place, opening must not wait for it. */
async function holds(disk: Disk, path: string, bytes: Uint8Array): Promise<boolean> {
  const file = await disk.open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = Buffer.allocUnsafeSlow(bytes.length + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(found, length, found.length - length, null);
      if (bytesRead === 0) break;
      length += bytesRead;
      if (length > bytes.length) break;
    }
    const same = found.subarray(0, length).equals(bytes);
    found.fill(0);
    return same;
  } finally {
    await file.close();
  }
}
