import type { Stats } from 'node:fs';
import { basename, join } from 'node:path';
import { errnoOf, errnoWord } from '../../base/errno.ts';
import { fail } from '../../base/errors.ts';
import { fileStamp } from '../../base/file-stamp.ts';
import { readdirInTime, readFileInTime, realpathInTime, statInTime } from '../../base/read-file.ts';
import { Secret } from '../../base/secret.ts';
import { type Fields, isFields, type Value } from '../../base/value.ts';
import { fileKind, parseFile, unusable } from './parse.ts';

/** What stands in a place of the file system at one moment. */
export interface FileReading {
  readonly fields: Fields;
  /** When it was last changed. */
  readonly changedMs: number;
}

/** Gives a parsed file, perhaps one that was parsed a moment ago. */
export type ReadParsed = (path: string, stats: Stats, place: string) => Promise<Fields>;

const MAX_FILE_BYTES = 64 * 1024 * 1024;
const EXTENSIONS = ['.yaml', '.yml', '.json', '.env'];

/** Tries while something changes under our hands. */
const TRIES = 5;

/**
 * The fields of `key` below `path`, a file of secrets or a folder. How they are laid out is described at
 * `createFileBackend`. What changes while it is read is read again, so that no mix of two states comes out: of a file,
 * and of a folder that is swapped as the kubelet does it.
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
      if (code !== 'ENOENT' || tries === TRIES) throw unusable(path, `cannot be read (${code})`, place);
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
  const met = await Promise.all(candidates.map(async (one) => ({ one, stats: await statOrNone(one) })));
  const found = met.flatMap(({ one, stats }) => (stats === undefined ? [] : [{ one, stats }]));
  const [first, second] = found;
  if (first === undefined) throw notFound(path, key, place);
  if (second !== undefined) {
    throw unusable(path, `both ${basename(first.one)} and ${basename(second.one)} are there for one key`, place);
  }
  if (first.stats.isDirectory()) return await asFolder(first.one, path, key, place);
  if (first.one !== candidates[0]) return await inFile(first.one, first.stats, '.', parsed, place);
  const bytes = await readStable(first.one, place);
  return { fields: new Map([['value', Secret.bytes(bytes)]]), changedMs: first.stats.mtimeMs };
}

/** A file per field. `..data` is looked up once, so that all files are of one generation; it vanishing means: again. */
async function asFolder(folder: string, path: string, key: string, place: string): Promise<FileReading> {
  const swapped = join(folder, '..data');
  const dir = await realpathInTime((await statOrNone(swapped)) === undefined ? folder : swapped);
  const fields = new Map<string, Value>();
  let changedMs = (await statInTime(dir)).mtimeMs;
  for (const name of (await readdirInTime(dir)).sort()) {
    if (name.startsWith('..')) continue;
    const one = join(dir, name);
    const stats = await statInTime(one);
    if (!stats.isFile()) continue;
    changedMs = Math.max(changedMs, stats.mtimeMs);
    fields.set(name, Secret.bytes(await readStable(one, place)));
  }
  return { fields: asFields(fields, path, key, place), changedMs };
}

/** The bytes of one state of a file: read again when it changed meanwhile. */
export async function readStable(path: string, place: string): Promise<Uint8Array> {
  for (let tries = 1; ; tries++) {
    try {
      const { bytes, stats } = await readFileInTime(path, { maxBytes: MAX_FILE_BYTES });
      if (fileStamp(await statInTime(path)) === fileStamp(stats)) return bytes;
    } catch (error) {
      const code = errnoOf(error);
      if (code === 'EFTYPE' || code === 'EISDIR') throw unusable(path, 'not a file', place);
      if (code === 'EFBIG') throw unusable(path, 'larger than 64 MiB', place);
      throw error;
    }
    if (tries === TRIES) throw unusable(path, 'changes while it is read', place);
  }
}

/** Parses one file, as its name says. */
export async function readAndParse(path: string, place: string): Promise<Fields> {
  const kind = fileKind(basename(path));
  if (kind === undefined) throw unusable(path, 'not known by its name: .yaml, .yml, .json or .env', place);
  return await parseFile(kind, await readStable(path, place), path, place);
}

function asFields(value: Value, path: string, key: string, place: string): Fields {
  const fields = isFields(value) ? value : new Map([['value', value]]);
  const empty = fields.size === 0 || (value instanceof Secret && value.type === 'null');
  if (empty) throw fail('SECRET_EMPTY', place, `nothing at key ${JSON.stringify(key)} of ${path}`);
  return fields;
}

function notFound(path: string, key: string, place: string) {
  const hint = 'Check the key, or add it to the file.';
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
