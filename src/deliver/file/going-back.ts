import type { Stats } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../../base/errno.ts';
import type { EarlierGeneration } from '../sink.ts';
import type { OutputDirectory } from './directory.ts';
import type { Disk } from './disk.ts';
import type { Folder } from './folder.ts';
import { type Generations, numbersIn } from './generations.ts';
import { generationName } from './names.ts';
import { readPublished } from './published.ts';
import { notReadable, readGeneration } from './read-current.ts';
import type { Volume } from './volume.ts';

/** The code for going back to an earlier generation, which most agents never need: import it on first use. */

interface Place {
  readonly generations: Generations;
  /** The published generation. */
  readonly published: number | undefined;
  readonly volume: Volume;
  readonly folder: Folder;
}

/** See `Sink.earlier`. @param wanted the generation; undefined: the one before the published one. */
export function findEarlier(
  directory: OutputDirectory,
  generations: Generations,
  place: string,
  wanted: number | undefined,
): Promise<EarlierGeneration | undefined> {
  return directory.work(`cannot read ${directory.path}`, async (volume, folder) => {
    const published = await readPublished(volume.disk, folder, place);
    if (published.state !== 'there') return undefined;
    const at = { generations, published: published.generation, volume, folder };
    return await findIn(at, wanted).catch((error: unknown) => {
      throw notReadable(error, directory.path, place);
    });
  });
}

/** See `Sink.kept`. */
export function listEarlier(
  directory: OutputDirectory,
  generations: Generations,
  place: string,
): Promise<readonly number[]> {
  return directory.work(`cannot read ${directory.path}`, async (volume, folder) => {
    const published = await readPublished(volume.disk, folder, place);
    const number = 'generation' in published ? published.generation : undefined;
    return await listIn({ generations, published: number, volume, folder });
  });
}

/**
 * The files of an earlier generation that is as it was published; undefined: there is none.
 * @param wanted its number; absent: the youngest of them.
 * @throws errors of system calls while a generation is read.
 */
async function findIn(place: Place, wanted: number | undefined): Promise<EarlierGeneration | undefined> {
  for (const generation of (await candidates(place)).reverse()) {
    if (wanted !== undefined && generation !== wanted) continue;
    if (!(await isUntouched(place, generation))) continue;
    const files = await readGeneration(place.folder, generation);
    // What was read is what counts: somebody may have changed it since the look above.
    const remembered = place.generations.remembered(generation);
    const isSame = remembered === undefined ? await isUntouched(place, generation) : remembered.isOf(files);
    if (isSame) return { generation, files };
  }
  return undefined;
}

/** The numbers of all generations that are as they were published and can be gone back to, ascending. */
async function listIn(place: Place): Promise<readonly number[]> {
  const good: number[] = [];
  for (const number of await candidates(place)) if (await isUntouched(place, number)) good.push(number);
  return good;
}

async function candidates({ generations, published, volume, folder }: Place): Promise<number[]> {
  return [...generations.earlier(published, numbersIn(await volume.disk.readdir(folder.at())))];
}

/**
 * Whether a generation is as it was published, as far as can be known: by the digests that this process has of it, or
 * by times.
 */
async function isUntouched({ generations, volume, folder }: Place, generation: number): Promise<boolean> {
  const remembered = generations.remembered(generation);
  if (remembered !== undefined) return await remembered.isUntouched(volume, folder);
  const made = generations.made.get(generation);
  if (made === undefined) return false;
  try {
    return await isAsOld(volume.disk, folder.at(generationName(generation)), made);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
}

/**
 * Whether nothing in a generation has changed since its directory got its mode, which is the last step of making one.
 * The system sets the time of a change (ctime), and no program can set it back: each entry is at most as young as the
 * directory, and the directory is as old as when it was published.
 */
async function isAsOld(disk: Disk, at: string, made: string): Promise<boolean> {
  const root = await disk.lstat(at);
  if (!root.isDirectory() || timeOf(root) !== made) return false;
  for (const entry of await readdir(at, { recursive: true, withFileTypes: true })) {
    const found = await disk.lstat(join(entry.parentPath, entry.name));
    const isOurs = (found.isFile() || found.isDirectory()) && found.dev === root.dev;
    if (!isOurs || found.ctimeMs > root.ctimeMs) return false;
  }
  return true;
}

const timeOf = ({ ctimeMs }: Stats): string => String(ctimeMs);
