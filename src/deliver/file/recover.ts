import type { Dirent } from 'node:fs';
import type { Folder } from './folder.ts';
import type { Generations } from './generations.ts';
import { removeDanglingLinks } from './links.ts';
import { readMark } from './mark.ts';
import { generationName, MARK, OWNER, OWNER_TMP, TEMPORARIES } from './names.ts';
import { type PublishedFiles, readPublished } from './published.ts';
import { unless } from './trouble.ts';
import type { Volume } from './volume.ts';

/** What a directory is recovered with. */
export interface Recovery {
  readonly generations: Generations;
  /** Of the output, for messages. */
  readonly place: string;
  /** This agent owns the directory; one that owns none at least refuses a directory whose owner lives. */
  readonly isOwner: boolean;
}

/** What is there at a start. */
export interface FoundFiles {
  readonly entries: readonly Dirent[];
  readonly names: ReadonlySet<string>;
  readonly published: PublishedFiles;
}

export const namesOf = (entries: readonly Dirent[]): ReadonlySet<string> => new Set(entries.map(({ name }) => name));

/**
 * Finds what earlier processes left in a directory, and tells `generations` of it.
 * @throws PannierError OUTPUT_IN_USE, OUTPUT_OCCUPIED; system errors as they are.
 */
export async function findFiles(
  { generations, place, isOwner }: Recovery,
  { disk }: Volume,
  folder: Folder,
): Promise<FoundFiles> {
  const entries = await disk.entries(folder.at());
  const names = namesOf(entries);
  if (!isOwner && names.has(OWNER)) {
    await (await import('./take-over.ts')).refuseOwned(folder.shown(), folder.at(), place);
  }
  const published = await readPublished(disk, folder, place, names);
  await generations.estimateReplacements(disk, folder, published, names);
  // The mark or `..data` may name a generation that is gone; its number was used all the same.
  const { takenUp, begun, held, made = [] } = (names.has(MARK) ? await readMark(disk, folder) : undefined) ?? {};
  const last = 'generation' in published ? published.generation : undefined;
  for (const number of [takenUp, begun?.generation, held, last]) generations.noteUsed(number);
  // A directory that is gone is not held back: there is nothing to compare with.
  generations.hold(names.has(generationName(held ?? 0)) ? held : undefined);
  for (const [number, time] of made) generations.noteMade(number, time);
  return { entries, names, published };
}

/**
 * Removes what a killed process left behind, and answers how much that was. A leftover of another user that cannot be
 * removed does not stop publishing; `sweep` reports it. Generations beside a foreign `..data` show that Pannier
 * published here, so they stay until it does so again.
 * @param last the last generation that was published
 */
export async function removeLeftovers(
  { generations, isOwner }: Recovery,
  volume: Volume,
  folder: Folder,
  { entries, names, published }: FoundFiles,
  last: number | undefined,
): Promise<number> {
  const { disk } = volume;
  let removed = 0;
  if (published.state !== 'foreign') ({ removed } = await generations.sweep(volume, folder, last, names));
  const sockets = isOwner ? entries.filter((entry) => entry.isSocket()) : [];
  const leftByOwners = namesOf(sockets.filter(({ name }) => name.startsWith(OWNER_TMP)));
  for (const name of [...TEMPORARIES, ...leftByOwners]) {
    if (!names.has(name)) continue;
    const isGone = await unless('ENOENT', async () => {
      await disk.unlink(folder.at(name));
      return true;
    });
    if (isGone) removed++;
  }
  return removed + (await removeDanglingLinks(disk, folder, published, entries));
}
