import type { Dirent } from 'node:fs';
import { errnoOf } from '../../base/errno.ts';
import { fail } from '../../base/errors.ts';
import type { Disk } from './disk.ts';
import type { Folder } from './folder.ts';
import { numbersIn } from './generations.ts';
import { inParallel } from './in-parallel.ts';
import { generationName, isOurLink, LINK_TMP, linkTarget } from './names.ts';
import type { PublishedFiles } from './published.ts';
import { unless } from './trouble.ts';

/** The top-level links that a plan still needs. */
export interface LinkWork {
  /** Names under which there is nothing. */
  readonly missing: readonly string[];
  /** Names whose link is Pannier's and points to another name, or was replaced by something else. */
  readonly wrong: readonly string[];
}

/** What is known of a directory while its links are looked at. */
export interface LinkKnowledge {
  /** What is in the folder, where the caller has just listed it: nothing else is looked up. */
  readonly present?: ReadonlySet<string> | undefined;
  /** Whether Pannier had a link of this name here; asked only for a name that is taken. */
  readonly wasOurs?: (name: string) => Promise<boolean>;
}

/**
 * Finds the links that are needed, and checks that no name is taken by something that Pannier did not make. What took
 * the place of a link of Pannier's counts as wrong, as the file that `sed -i` leaves does.
 * @throws PannierError OUTPUT_OCCUPIED for a file or directory under a name, OUTPUT_SYMLINK for a symlink that leads
 * elsewhere; system errors as they are.
 */
export async function planLinks(
  disk: Disk,
  folder: Folder,
  names: Iterable<string>,
  place: string,
  { present, wasOurs = async () => false }: LinkKnowledge = {},
): Promise<LinkWork> {
  const missing: string[] = [];
  const wrong: string[] = [];
  const looked = [...names].filter((name) => {
    if (present?.has(name) !== false) return true;
    missing.push(name);
    return false;
  });
  await inParallel(looked, async (name) => {
    const found = await readLink(disk, folder.at(name));
    const path = folder.shown(name);
    const isTaken = typeof found === 'string' ? found === 'no link' : !isOurLink(found.target);
    if (found === 'nothing') missing.push(name);
    else if (isTaken && (await wasOurs(name))) wrong.push(name);
    else if (found === 'no link') throw fail('OUTPUT_OCCUPIED', place, `${path} was not written by Pannier`);
    else if (!isOurLink(found.target)) throw fail('OUTPUT_SYMLINK', place, `${path} is a symlink that leads elsewhere`);
    else if (found.target !== linkTarget(name)) wrong.push(name);
  });
  return { missing, wrong };
}

/** Makes and corrects links. @throws what `planLinks` throws when a name was taken since; system errors as they are. */
export async function makeLinks(disk: Disk, folder: Folder, work: LinkWork, place: string): Promise<void> {
  for (const name of work.missing) {
    try {
      await disk.symlink(linkTarget(name), folder.at(name));
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
      await planLinks(disk, folder, [name], place);
    }
  }
  // A rename replaces the link, so that a name that is readable now never goes missing.
  for (const name of work.wrong) await replaceLink(disk, folder, linkTarget(name), LINK_TMP, { name, place });
}

/**
 * Makes a symlink under a temporary name and renames it: readers see the old target or the new one. A file in its place
 * is replaced as well, and so is a directory that is empty.
 * @throws PannierError OUTPUT_OCCUPIED for a directory that is not; system errors as they are.
 */
export async function replaceLink(
  disk: Disk,
  folder: Folder,
  target: string,
  temporary: string,
  { name, place }: { readonly name: string; readonly place: string },
): Promise<void> {
  const made = folder.at(temporary);
  try {
    await disk.symlink(target, made);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    await disk.unlink(made);
    await disk.symlink(target, made);
  }
  try {
    await disk.rename(made, folder.at(name));
  } catch (error) {
    if (errnoOf(error) !== 'EISDIR') throw error;
    await removeEmpty(disk, folder, name, place);
    await replaceLink(disk, folder, target, temporary, { name, place });
  }
}

async function removeEmpty(disk: Disk, folder: Folder, name: string, place: string): Promise<void> {
  try {
    await disk.rmdir(folder.at(name));
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes(errnoOf(error) ?? '')) throw error;
    throw fail('OUTPUT_OCCUPIED', place, `${folder.shown(name)} is a directory that is not empty`);
  }
}

/** Whether a generation that is still there has a file of this name, so that Pannier had a link for it. */
export async function hadLink(disk: Disk, folder: Folder, name: string): Promise<boolean> {
  for (const number of numbersIn(await disk.readdir(folder.at()))) {
    const at = folder.at(`${generationName(number)}/${name}`);
    if ((await unless('ENOENT', () => disk.lstat(at))) !== undefined) return true;
  }
  return false;
}

/** Whether an entry can be one of Pannier's top-level links. */
const isTopLink = (entry: Dirent): boolean => entry.isSymbolicLink() && !entry.name.startsWith('..');

/** Removes Pannier's top-level links except those in `keep`; everything else stays. Answers how many it removed. */
export async function removeStaleLinks(
  disk: Disk,
  folder: Folder,
  keep: ReadonlySet<string>,
  entries: readonly Dirent[],
): Promise<number> {
  let removed = 0;
  await inParallel(entries.filter(isTopLink), async ({ name }) => {
    if (keep.has(name)) return;
    const found = await readLink(disk, folder.at(name));
    if (typeof found === 'string' || !isOurLink(found.target)) return;
    await unless('ENOENT', () => disk.unlink(folder.at(name)));
    removed++;
  });
  return removed;
}

/**
 * Removes Pannier's top-level links that lead nowhere, and answers how many. Where `..data` is foreign the links may
 * lead somewhere, so they stay until the next publish.
 */
export async function removeDanglingLinks(
  disk: Disk,
  folder: Folder,
  published: PublishedFiles,
  entries: readonly Dirent[],
): Promise<number> {
  if (published.state === 'foreign' || !entries.some(isTopLink)) return 0;
  const { state } = published;
  const names =
    state === 'there'
      ? await unless('EACCES', () => disk.readdir(folder.at(generationName(published.generation))))
      : [];
  return names === undefined ? 0 : removeStaleLinks(disk, folder, new Set(names), entries);
}

async function readLink(disk: Disk, path: string): Promise<{ readonly target: string } | 'nothing' | 'no link'> {
  try {
    return { target: await disk.readlink(path) };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 'nothing';
    if (errnoOf(error) === 'EINVAL') return 'no link';
    throw error;
  }
}
