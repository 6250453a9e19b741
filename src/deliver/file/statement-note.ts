import { constants, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import { errnoOf } from '../../base/errno.ts';
import { loadCrypto } from '../../base/node-crypto.ts';
import { version } from '../../base/version.ts';
import { hashOfWant } from '../hash-of-want.ts';
import type { Made, MadeValue } from '../output-state.ts';
import type { Disk } from './disk.ts';
import type { Folder } from './folder.ts';
import { generationName, STATEMENT, STATEMENT_TMP } from './names.ts';
import { replaceFile } from './replace-file.ts';
import { unless } from './trouble.ts';
import type { Volume } from './volume.ts';

/**
 * The file `..statement` (0600): what the generations of an output are made of, so that the next process can say it of
 * what it finds published. A generation is told by its stamp, made of numbers that the kernel sets, so the note of one
 * whose files were touched since, or that was copied here, says nothing. There is no value in it and no path: wants are
 * hashed, and a computed secret has its hash for a name.
 */

const FORMAT = 1;

interface NotedValue extends MadeValue {
  readonly name: string;
}

interface NotedGeneration {
  readonly generation: number;
  readonly stamp: string;
  readonly config?: string;
  readonly by: string;
  readonly atWallMs?: number;
  readonly values: readonly NotedValue[];
}

/** Writes the note of those generations that are there. @throws errors of system calls, PannierError. */
export async function writeNote(
  made: ReadonlyMap<number, Made>,
  volume: Volume,
  folder: Folder,
  place: string,
): Promise<void> {
  const generations: NotedGeneration[] = [];
  for (const [generation, { config, by = version, atWallMs, values }] of made) {
    const stamp = await stampOf(volume.disk, folder.at(generationName(generation)));
    if (stamp === undefined || typeof config === 'object') continue;
    generations.push({
      generation,
      stamp,
      ...(config === undefined ? {} : { config }),
      by,
      ...(atWallMs === undefined ? {} : { atWallMs }),
      values: [...values].map(([name, value]) => notedValue(name, value)),
    });
  }
  const bytes = Buffer.from(`${JSON.stringify({ format: FORMAT, generations })}\n`);
  await replaceFile(folder, { name: STATEMENT, made: STATEMENT_TMP, bytes }, volume, place);
}

/** The next process numbers its values anew. */
function notedValue(name: string, { id, valueNumber: _, ...value }: MadeValue): NotedValue {
  const hash = hashOfWant(id);
  return { ...value, name: name.includes(' ') ? `computed ${hash.slice(0, 12)}` : name, id: hash };
}

/** What is noted of the generations that are as they were. A file that is no note of this user's says nothing. */
export async function readNote({ disk }: Volume, folder: Folder): Promise<ReadonlyMap<number, Made>> {
  const found = new Map<number, Made>();
  const text = await readOwnText(folder.at(STATEMENT));
  for (const { generation, stamp, config, by, atWallMs, values } of text === undefined ? [] : parse(text)) {
    if ((await stampOf(disk, folder.at(generationName(generation)))) !== stamp) continue;
    found.set(generation, {
      config,
      by,
      ...(atWallMs === undefined ? {} : { atWallMs }),
      values: new Map(values.map(({ name, ...value }) => [name, value])),
    });
  }
  return found;
}

/** Empty when the text is not what `writeNote` writes. */
function parse(text: string): readonly NotedGeneration[] {
  try {
    const { format, generations } = JSON.parse(text) as { format?: unknown; generations?: unknown };
    return format === FORMAT && Array.isArray(generations) && generations.every(isGeneration) ? generations : [];
  } catch {
    return [];
  }
}

type Loose<T> = { readonly [K in keyof T]?: unknown };

function isGeneration(one: unknown): one is NotedGeneration {
  const { generation, stamp, config = '', by, atWallMs = 0, values } = (one ?? {}) as Loose<NotedGeneration>;
  const isWhole = typeof generation === 'number' && [stamp, config, by].every((text) => typeof text === 'string');
  return isWhole && typeof atWallMs === 'number' && Array.isArray(values) && values.every(isValue);
}

function isValue(one: unknown): one is NotedValue {
  const { name, id, version, isOwn, fetchedWallMs } = (one ?? {}) as Loose<NotedValue>;
  const areTexts = [name, id, version].every((text) => typeof text === 'string');
  return areTexts && typeof isOwn === 'boolean' && typeof fetchedWallMs === 'number';
}

async function readOwnText(path: string): Promise<string | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      return isOurs(await file.stat()) ? await file.readFile('utf8') : undefined;
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}

/** As large as a note of some ten thousand secrets. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Whether no other user can have written the file. */
function isOurs(stats: Stats): boolean {
  const { uid, mode, nlink, size } = stats;
  const isOwn = stats.isFile() && uid === (process.geteuid?.() ?? uid) && nlink === 1;
  return isOwn && (mode & 0o077) === 0 && size <= MAX_BYTES;
}

/**
 * Changes with all that a process can do to the files of a generation; undefined when it is gone. The device is left
 * out: it has another number after a boot.
 */
async function stampOf(disk: Disk, path: string): Promise<string | undefined> {
  const hash = loadCrypto().createHash('sha256');
  const walk = async (at: string, name: string): Promise<boolean> => {
    const stats = await unless('ENOENT', () => disk.lstat(at));
    if (stats === undefined) return false;
    const { ino, size, mtimeMs, ctimeMs } = stats;
    hash.update(`${name} ${ino} ${size} ${mtimeMs} ${ctimeMs}\n`);
    if (!stats.isDirectory()) return true;
    for (const entry of (await disk.readdir(at)).sort()) await walk(`${at}/${entry}`, `${name}/${entry}`);
    return true;
  };
  try {
    return (await walk(path, '')) ? hash.digest('base64url') : undefined;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
