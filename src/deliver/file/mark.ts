import { constants } from 'node:fs';
import type { Disk } from './disk.ts';
import type { Folder } from './folder.ts';
import { MARK, MARK_TMP } from './names.ts';
import { readPublished } from './published.ts';
import { unless } from './trouble.ts';
import { syncFolder, syncHandle, type Volume } from './volume.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** More than any number takes; what is longer is no mark. */
const LONGEST = 20;

/**
 * The mark in `..reloaded` (0600): the generation last taken up, as a decimal number. Written beside and renamed over,
 * so a kill leaves the old mark or the new one. A mark that is missing, unreadable or no number says nothing, and then
 * what is published is owed: a reload too many does less harm than one too few.
 */
export async function isOwed(disk: Disk, folder: Folder, place: string): Promise<number | undefined> {
  const published = await readPublished(disk, folder, place);
  if (published.state !== 'there') return undefined;
  return (await readMark(disk, folder)) === published.generation ? undefined : published.generation;
}

/** The number in the mark; undefined when there is none that can be read. */
export async function readMark(disk: Disk, folder: Folder): Promise<number | undefined> {
  try {
    const file = await disk.open(folder.at(MARK), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const buffer = Buffer.alloc(LONGEST);
      const { bytesRead } = await file.read(buffer, 0, LONGEST, 0);
      const digits = /^([1-9]\d{0,14})\n$/.exec(buffer.toString('latin1', 0, bytesRead))?.[1];
      return digits === undefined ? undefined : Number(digits);
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}

export async function writeMark(folder: Folder, generation: number, volume: Volume): Promise<void> {
  const { disk } = volume;
  const made = folder.at(MARK_TMP);
  await unless('ENOENT', () => disk.unlink(made));
  const file = await disk.open(made, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    await file.writeFile(`${generation}\n`);
    await file.chmod(0o600);
    if (volume.tmpfs !== true) await syncHandle(file);
  } finally {
    await file.close();
  }
  await disk.rename(made, folder.at(MARK));
  await syncFolder(folder.at(), volume);
}
