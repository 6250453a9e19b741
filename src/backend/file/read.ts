import type { Stats } from 'node:fs';
import { basename, join } from 'node:path';
import { errnoOf, errnoWord } from '../../base/errno.ts';
import { fail } from '../../base/errors.ts';
import { fileStamp } from '../../base/file-stamp.ts';
import { readdirInTime, readFileInTime, realpathInTime, statInTime } from '../../base/read-file.ts';
import { Secret } from '../../base/secret.ts';
import { type Fields, isFields, type Value } from '../../base/value.ts';
import { fileKind, parseFile, unusable } from './parse.ts';

/** The fields of a key at one moment. */
export interface FileReading {
  readonly fields: Fields;
  /** When the file, or the newest file of the folder, was last changed. */
  readonly changedMs: number;
}

/** Reads and parses a file, or returns what was parsed while the file had the same `stats`. */
export type ReadParsed = (path: string, stats: Stats, place: string) => Promise<Fields>;

const MAX_FILE_BYTES = 64 * 1024 * 1024;
const EXTENSIONS = ['.yaml', '.yml', '.json', '.env'];

/** How often a file or folder that changes while it is read is read. */
const MAX_TRIES = 5;

/**
 * Reads the fields of `key` below `path`, a file of secrets or a folder; `createFileBackend` describes the layouts. A
 * file that changes while it is read is read again, and so is a folder that is swapped as the kubelet does it: the
 * result never mixes two states.
 * @throws PannierError SECRET_NOT_FOUND, SECRET_EMPTY, or BACKEND_FILE.
 */
export async function readKey(path: string, key: string, parsed: ReadParsed, place: string): Promise<FileReading> {
  for (let tries = 1; ; tries++) {
    try {
      const stats = await statInTime(path);
      return stats.isDirectory()
        ? await inFolder(path, key, parsed, place)
        : await inFile(path, stats, key, parsed, place);
    } catch (error) {
      const code = errnoOf(error);
      if (code === undefined) throw error;
      if (code !== 'ENOENT' || tries === MAX_TRIES) throw unusable(path, `cannot be read (${code})`, place);
    }
  }
}

async function inFile(
  path: string,
  stats: Stats,
  key: string,
  parsed: ReadParsed,
  place: string,
): Promise<FileReading> {
  const all = await parsed(path, stats, place);
  const found = key === '.' ? all : all.get(key);
  if (found === undefined) throw notFound(path, key, place);
  return { fields: asFields(found, path, key, place), changedMs: stats.mtimeMs };
}

async function inFolder(path: string, key: string, parsed: ReadParsed, place: string): Promise<FileReading> {
  if (key === '.') return await asFolder(path, path, key, place);
  if (key.split('/').some((part) => part === '' || part === '.' || part.startsWith('..')) || key.includes('\0')) {
    throw notFound(path, key, place);
  }
  const candidates = ['', ...EXTENSIONS].map((extension) => join(path, key + extension));
  const candidateStats = await Promise.all(candidates.map(async (file) => ({ file, stats: await statOrNone(file) })));
  const found = candidateStats.flatMap(({ file, stats }) => (stats === undefined ? [] : [{ file, stats }]));
  const [first, second] = found;
  if (first === undefined) throw notFound(path, key, place);
  if (second !== undefined) {
    throw unusable(
      path,
      `both ${basename(first.file)} and ${basename(second.file)} exist for key ${JSON.stringify(key)}`,
      place,
    );
  }
  if (first.stats.isDirectory()) return await asFolder(first.file, path, key, place);
  if (first.file !== candidates[0]) return await inFile(first.file, first.stats, '.', parsed, place);
  const bytes = await readStable(first.file, place);
  return { fields: new Map([['value', Secret.bytes(bytes)]]), changedMs: first.stats.mtimeMs };
}

/**
 * Reads a folder with a file per field. The link `..data` is resolved once, so that all files belong to one state of
 * the volume; when that state vanishes meanwhile, the ENOENT makes `readKey` try again.
 */
async function asFolder(folder: string, path: string, key: string, place: string): Promise<FileReading> {
  const swapped = join(folder, '..data');
  const dir = await realpathInTime((await statOrNone(swapped)) === undefined ? folder : swapped);
  const fields = new Map<string, Value>();
  let changedMs = (await statInTime(dir)).mtimeMs;
  for (const name of (await readdirInTime(dir)).sort()) {
    if (name.startsWith('..')) continue;
    const file = join(dir, name);
    const stats = await statInTime(file);
    if (!stats.isFile()) continue;
    changedMs = Math.max(changedMs, stats.mtimeMs);
    fields.set(name, Secret.bytes(await readStable(file, place)));
  }
  return { fields: asFields(fields, path, key, place), changedMs };
}

/** Reads a file until it did not change meanwhile, so that the bytes are of one state. */
export async function readStable(path: string, place: string): Promise<Uint8Array> {
  for (let tries = 1; ; tries++) {
    try {
      const { bytes, stats } = await readFileInTime(path, { maxBytes: MAX_FILE_BYTES });
      if (fileStamp(await statInTime(path)) === fileStamp(stats)) return bytes;
    } catch (error) {
      const code = errnoOf(error);
      if (code === 'EFTYPE' || code === 'EISDIR') throw unusable(path, 'not a file', place);
      if (code === 'EFBIG') throw unusable(path, errnoWord(error), place);
      throw error;
    }
    if (tries === MAX_TRIES) throw unusable(path, 'changes while it is read', place);
  }
}

/** Reads and parses one file, whose name says the format. */
export async function readAndParse(path: string, place: string): Promise<Fields> {
  const kind = fileKind(basename(path));
  if (kind === undefined) throw unusable(path, 'its name does not end in .yaml, .yml, .json or .env', place);
  return await parseFile(kind, await readStable(path, place), path, place);
}

function asFields(value: Value, path: string, key: string, place: string): Fields {
  const fields = isFields(value) ? value : new Map([['value', value]]);
  const empty = fields.size === 0 || (value instanceof Secret && value.type === 'null');
  if (empty) throw fail('SECRET_EMPTY', place, `nothing at key ${JSON.stringify(key)} of ${path}`);
  return fields;
}

function notFound(path: string, key: string, place: string) {
  const hint = 'Check the key, or add it.';
  return fail('SECRET_NOT_FOUND', place, `no key ${JSON.stringify(key)} in ${path}`, { hint });
}

async function statOrNone(path: string): Promise<Stats | undefined> {
  try {
    return await statInTime(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoWord(error))) return undefined;
    throw error;
  }
}
