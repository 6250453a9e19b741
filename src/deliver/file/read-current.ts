import { constants } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '../../base/errors.ts';
import { slowDisk } from './disk.ts';
import { readPublished } from './published.ts';
import { errno } from './trouble.ts';

/** What is published in an output's directory. */
export interface Current {
  readonly generation: number;
  /** By name relative to the directory. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/**
 * Reads the published generation, or answers undefined when there is none. Changes nothing, and follows no link.
 * @throws PannierError OUTPUT_NOT_READABLE.
 */
export async function readCurrent(dir: string, place: string): Promise<Current | undefined> {
  try {
    const published = await readPublished(slowDisk, dir, place);
    if (published.state !== 'there') return undefined;
    const { generation, path } = published;
    const files = new Map<string, Uint8Array>();
    for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const whole = join(entry.parentPath, entry.name);
      files.set(whole.slice(path.length + 1), await readWhole(whole));
    }
    return { generation, files };
  } catch (error) {
    const code = errno(error);
    if (code === undefined) throw error;
    throw fail('OUTPUT_NOT_READABLE', place, `what is published in ${dir} cannot be read (${code})`);
  }
}

async function readWhole(path: string): Promise<Uint8Array> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return await file.readFile();
  } finally {
    await file.close();
  }
}
