import { constants } from 'node:fs';
import { join } from 'node:path';
import type { ReloadMark } from '../sink.ts';
import type { Disk } from './disk.ts';
import { MARK, MARK_TMP } from './names.ts';
import { readPublished } from './published.ts';
import { trouble, unless } from './trouble.ts';
import { syncFolder, syncHandle, type Volume } from './volume.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** More than any number takes; what is longer is no mark. */
const LONGEST = 20;

/**
 * The mark in `..reloaded` (0600): the generation last taken up, as a decimal number. Written beside and renamed over,
 * so a kill leaves the old mark or the new one. A mark that is missing, unreadable or no number says nothing, and then
 * what is published is owed: a reload too many does less harm than one too few.
 */
export function createMark(
  dir: string,
  place: string,
  { disk, volume }: { readonly disk: () => Disk; readonly volume: () => Promise<Volume> },
): ReloadMark {
  return {
    async owed() {
      try {
        const published = await readPublished(disk(), dir, place);
        if (published.state !== 'there') return undefined;
        return (await readMark(disk(), dir)) === published.generation ? undefined : published.generation;
      } catch (error) {
        throw trouble(error, place, `cannot read ${dir}`);
      }
    },
    async settle(generation) {
      try {
        await writeMark(dir, generation, await volume());
      } catch (error) {
        throw trouble(error, place, `cannot write ${join(dir, MARK)}`);
      }
    },
  };
}

/** The number in the mark; undefined when there is none that can be read. */
export async function readMark(disk: Disk, dir: string): Promise<number | undefined> {
  try {
    const file = await disk.open(join(dir, MARK), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
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

async function writeMark(dir: string, generation: number, volume: Volume): Promise<void> {
  const { disk } = volume;
  const made = join(dir, MARK_TMP);
  await unless('ENOENT', () => disk.unlink(made));
  const file = await disk.open(made, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    await file.writeFile(`${generation}\n`);
    await file.chmod(0o600);
    if (volume.tmpfs !== true) await syncHandle(file);
  } finally {
    await file.close();
  }
  await disk.rename(made, join(dir, MARK));
  await syncFolder(dir, volume);
}
