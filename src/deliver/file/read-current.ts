import { constants } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../../base/errno.ts';
import { fail } from '../../base/errors.ts';
import { holdFolder } from '../../base/held-folder.ts';
import { slowDisk } from './disk.ts';
import { Folder } from './folder.ts';
import { generationName } from './names.ts';
import { readPublished } from './published.ts';
import { unless } from './trouble.ts';

/** The generation that is published in an output's directory. */
export interface CurrentGeneration {
  readonly generation: number;
  /** The contents by file name, relative to the directory. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/**
 * Reads the published generation, or answers undefined when there is none. Changes nothing, and follows no link.
 * @throws PannierError OUTPUT_NOT_READABLE.
 */
export async function readCurrent(dir: string, place: string): Promise<CurrentGeneration | undefined> {
  try {
    await using held = await unless('ENOENT', () => holdFolder(dir));
    if (held === undefined) return undefined;
    const folder = new Folder(held.at, { path: dir, place, disk: slowDisk, stats: held.stats });
    const published = await readPublished(slowDisk, folder, place);
    if (published.state !== 'there') return undefined;
    const { generation } = published;
    return { generation, files: await readGeneration(folder, generation) };
  } catch (error) {
    throw notReadable(error, dir, place);
  }
}

/** The contents of a generation's files by name. Follows no link. @throws errors of system calls as they are. */
export async function readGeneration(folder: Folder, generation: number): Promise<ReadonlyMap<string, Uint8Array>> {
  const generationAt = folder.at(generationName(generation));
  const files = new Map<string, Uint8Array>();
  for (const entry of await readdir(generationAt, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const whole = join(entry.parentPath, entry.name);
    files.set(whole.slice(generationAt.length + 1), await readWhole(whole));
  }
  return files;
}

/** The failure of a system call while published files were read; other errors as they are. */
export function notReadable(error: unknown, dir: string, place: string): unknown {
  const code = errnoOf(error);
  if (code === undefined) return error;
  return fail('OUTPUT_NOT_READABLE', place, `the published files in ${dir} cannot be read (${code})`);
}

async function readWhole(path: string): Promise<Uint8Array> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return await file.readFile();
  } finally {
    await file.close();
  }
}
