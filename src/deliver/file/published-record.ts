import { constants, type Stats } from 'node:fs';
import type { Clock } from '../../base/clock.ts';
import { errnoOf } from '../../base/errno.ts';
import { isSameFile } from '../../base/held-folder.ts';
import { loadCrypto } from '../../base/node-crypto.ts';
import type { Difference } from '../sink.ts';
import type { Disk } from './disk.ts';
import type { Folder } from './folder.ts';
import { inParallel } from './in-parallel.ts';
import { DATA, generationName, linkTarget, OWNER } from './names.ts';
import type { GenerationPlan, PlannedFile, PlannedFolder } from './plan.ts';
import { hasAccess, readPublished } from './published.ts';
import { unless } from './trouble.ts';
import { openFolder, type Volume } from './volume.ts';

/** The code of looks at what is published, which `init` never needs: import it on first use. */

interface KnownFile extends Omit<PlannedFile, 'bytes'> {
  readonly size: number;
  readonly digest: Buffer;
}

/** How things stood when a look found no difference. */
interface CleanLook {
  readonly stamps: string;
  readonly atMs: number;
  /** A second look some time later found the same and compared all bytes again. */
  readonly isSure: boolean;
}

/**
 * After this much two changes of a file have two times: a kernel counts them in ticks of up to 10 ms, so that a change
 * right after a look can have the time of one right before it.
 */
const APART_MS = 1_000;

/**
 * Remembers the generation that is published, and finds what on disk is not as it was published.
 *
 * Of the bytes only digests are kept, keyed with a number that this process has drawn, so that what is in memory says
 * nothing about a value, not even to somebody who can guess it. Most looks read no file: they compare inode, size,
 * times, mode and owner of each entry with those of the last clean look (`stamps`), and only others than those have
 * every file read again.
 */
export class PublishedRecord {
  readonly generation: number;
  readonly #key: Uint8Array;
  readonly #files: readonly KnownFile[];
  readonly #folders: readonly PlannedFolder[];
  readonly #links: ReadonlySet<string>;
  /** Of all files and folders. */
  readonly #names: ReadonlySet<string>;
  readonly #clock: Pick<Clock, 'monoMs'>;
  readonly #place: string;
  #clean: CleanLook | undefined;

  constructor(
    generation: number,
    { files, folders, links }: GenerationPlan,
    { clock, place }: { readonly clock: Pick<Clock, 'monoMs'>; readonly place: string },
  ) {
    this.generation = generation;
    this.#key = loadCrypto().randomBytes(32);
    this.#files = files.map(({ bytes, ...file }) => ({ ...file, size: bytes.length, digest: this.#digest(bytes) }));
    this.#folders = folders;
    this.#links = links;
    this.#names = new Set([...files, ...folders].map(({ name }) => name));
    this.#clock = clock;
    this.#place = place;
  }

  /** The folders of the generation, relative to it; the generation's own is the empty name. */
  get folders(): readonly string[] {
    return this.#folders.map(({ name }) => name);
  }

  /** The names in the output's directory that readers go by. */
  get topNames(): ReadonlySet<string> {
    return new Set([...this.#links, DATA, OWNER, generationName(this.generation)]);
  }

  /** Whether these are the files to the last byte. */
  isOf(files: ReadonlyMap<string, Uint8Array>): boolean {
    if (files.size !== this.#files.length) return false;
    return this.#files.every(({ name, digest }) => {
      const bytes = files.get(name);
      return bytes !== undefined && digest.equals(this.#digest(bytes));
    });
  }

  /** What in the output's directory is not as it was published; empty: nothing. @throws errors of system calls. */
  async differences(volume: Volume, folder: Folder): Promise<readonly Difference[]> {
    const { disk } = volume;
    const atMs = this.#clock.monoMs();
    const before = this.#clean;
    const stamps = await this.#stamps(disk, folder);
    if (before?.isSure === true && before.stamps === stamps) return [];
    const found = await this.#compare(volume, folder, before !== undefined && before.stamps !== stamps);
    if (found.length > 0) this.#clean = undefined;
    else if (before?.stamps !== stamps) this.#clean = { stamps, atMs, isSure: false };
    else if (atMs - before.atMs >= APART_MS) this.#clean = { stamps, atMs, isSure: true };
    return found;
  }

  #digest(bytes: Uint8Array): Buffer {
    return loadCrypto().createHmac('sha256', this.#key).update(bytes).digest();
  }

  /** Changes with everything that a process can do to what readers see. */
  async #stamps(disk: Disk, folder: Folder): Promise<string> {
    const stamps: string[] = [];
    const note = async (name: string, work: () => string | Promise<string>) => {
      try {
        stamps.push(`${name} ${await work()}`);
      } catch (error) {
        stamps.push(`${name} ${errnoOf(error) ?? '?'}`);
      }
    };
    await note(DATA, () => disk.readlink(folder.at(DATA)));
    await inParallel([...this.#links], (name) => note(name, () => disk.readlink(folder.at(name))));
    const generation = generationName(this.generation);
    const entries = [...this.#folders, ...this.#files].map(({ name }) =>
      name === '' ? generation : `${generation}/${name}`,
    );
    await inParallel(entries, (name) => note(name, async () => stampOf(await disk.lstat(folder.at(name)))));
    return stamps.sort().join('\n');
  }

  /** @param isChanged whether stamps differ from the last clean look's: then a file that cannot be read counts. */
  async #compare(volume: Volume, folder: Folder, isChanged: boolean): Promise<readonly Difference[]> {
    const { disk } = volume;
    const found: Difference[] = [];
    const differs = (seen: string, of: Difference['of'] = 'content') => void found.push({ of, seen });
    await inParallel([...this.#links], async (name) => {
      const seen = await linkSeen(disk, folder.at(name), linkTarget(name));
      if (seen !== undefined) differs(`${name} ${seen}`);
    });
    const published = await readPublished(disk, folder, this.#place);
    const shown = generationName(this.generation);
    if (published.state === 'none') differs(`${DATA} is missing`);
    else if (published.state === 'foreign') differs(`${DATA} leads elsewhere`);
    else if (published.generation !== this.generation)
      differs(`${DATA} leads to ${generationName(published.generation)}`);
    else if (published.state === 'lost') differs(`${shown} is missing`);
    else await this.#compareGeneration(published.stats, volume, folder, isChanged, differs);
    return found;
  }

  async #compareGeneration(
    stats: Stats,
    volume: Volume,
    folder: Folder,
    isChanged: boolean,
    differs: (seen: string, of?: Difference['of']) => void,
  ): Promise<void> {
    const { disk } = volume;
    const name = generationName(this.generation);
    const held = await unless('EACCES', () => openFolder(disk, folder.at(name)));
    if (held === undefined) return differs(`mode or owner of ${name}`, 'access');
    try {
      if (!isSameFile(await held.stat(), stats)) return differs(`${name} is another directory`);
      const base = volume.procFd ? `/proc/self/fd/${held.fd}` : folder.at(name);
      for (const { name: inner, mode, owner } of this.#folders) {
        const shown = inner === '' ? name : inner;
        const at = inner === '' ? base : `${base}/${inner}`;
        const found = inner === '' ? stats : await lstatOrNone(disk, at);
        if (found?.isDirectory() !== true) {
          differs(`${shown} is ${found === undefined ? 'missing' : 'no directory any more'}`);
          continue;
        }
        if (!hasAccess(found, mode, owner, volume)) differs(`mode or owner of ${shown}`, 'access');
        const names = (await unless('EACCES', () => disk.readdir(at))) ?? [];
        const foreign = names.filter((entry) => !this.#names.has(inner === '' ? entry : `${inner}/${entry}`)).length;
        if (foreign > 0) differs(`${shown} has ${foreign} more entr${foreign === 1 ? 'y' : 'ies'}`);
      }
      await inParallel(this.#files, (file) => this.#compareFile(base, file, volume, isChanged, differs));
    } finally {
      await held.close();
    }
  }

  async #compareFile(
    base: string,
    { name, size, digest, mode, owner }: KnownFile,
    volume: Volume,
    isChanged: boolean,
    differs: (seen: string, of?: Difference['of']) => void,
  ): Promise<void> {
    const { disk } = volume;
    const at = `${base}/${name}`;
    const found = await lstatOrNone(disk, at);
    if (found?.isFile() !== true) return differs(`${name} is ${found === undefined ? 'missing' : 'no file any more'}`);
    const isOpen = hasAccess(found, mode, owner, volume);
    if (!isOpen) differs(`mode or owner of ${name}`, 'access');
    if (found.size !== size) return differs(`${name} has other bytes`);
    const bytes = await readBytes(disk, at, size);
    // A file that only its own user can read is judged by its times.
    const isSame = bytes === undefined ? !(isChanged && isOpen) : digest.equals(this.#digest(bytes));
    bytes?.fill(0);
    if (!isSame) differs(`${name} has other bytes`);
  }
}

async function lstatOrNone(disk: Disk, path: string): Promise<Stats | undefined> {
  try {
    return await disk.lstat(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** What is wrong with a link; undefined: nothing is. */
async function linkSeen(disk: Disk, path: string, wanted: string): Promise<string | undefined> {
  try {
    return (await disk.readlink(path)) === wanted ? undefined : 'leads elsewhere';
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 'is missing';
    if (errnoOf(error) === 'EINVAL') return 'is no link any more';
    throw error;
  }
}

function stampOf({ dev, ino, mode, uid, gid, size, mtimeMs, ctimeMs }: Stats): string {
  return [dev, ino, mode, uid, gid, size, mtimeMs, ctimeMs].join(' ');
}

/**
 * The bytes of a file, one more than `size` at most; undefined when this process may not read it. O_NONBLOCK: if a FIFO
 * took the file's place, opening must not wait for it.
 */
async function readBytes(disk: Disk, path: string, size: number): Promise<Buffer | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await unless('EACCES', () => disk.open(path, flags));
  if (file === undefined) return undefined;
  try {
    const bytes = Buffer.allocUnsafeSlow(size + 1);
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, null);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    bytes.fill(0, length);
    return bytes.subarray(0, length);
  } finally {
    await file.close();
  }
}
