import { constants } from 'node:fs';
import { type FileHandle, link, lstat, open, rename, unlink } from 'node:fs/promises';
import { errnoOf } from '../base/errno.ts';
import { fail, type PannierError } from '../base/errors.ts';
import { FileCallError, fileCall } from '../base/file-call.ts';
import { type HeldFolder, holdFolder, isOwn, mayOthersWrite } from '../base/held-folder.ts';
import { loadCrypto } from '../base/node-crypto.ts';
import { MIN_KEY_BYTES } from './seal.ts';

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;

/** A larger state is neither written nor read. */
export const MAX_BYTES = 32 * 1024 * 1024;

const STATE = 'state';
/**
 * A state that could not be opened is put under the first of these names that is free, before another is written: its
 * key may come back. When none is free, the smallest goes, since a state that holds nothing is the smallest.
 */
const REFUSED = ['refused', 'refused.1', 'refused.2', 'refused.3'] as const;
const NEW = 'new';
const KEY = 'key';

/** A key file holds some random bytes, and no more. */
export const MAX_KEY_BYTES = 4096;

/** The directory of a state, and the files in it. Every call ends in time, also on a file system that hangs. */
export interface StateFolder {
  /**
   * What the last process wrote; undefined: nothing. With `why`, something is in its place that is not read.
   * @throws PannierError STATE_UNREADABLE.
   */
  read(): Promise<Buffer | { readonly why: string } | undefined>;
  /** The states that were set aside, as far as they can be read. @throws PannierError STATE_UNREADABLE. */
  readRefused(): Promise<readonly RefusedState[]>;
  /**
   * Replaces the state, so that a kill leaves the old or the new one.
   * @throws PannierError STATE_NOT_WRITABLE.
   */
  write(bytes: Buffer, replaced: ReplacedState): Promise<void>;
  /** The key beside the state, made when there is none. @throws PannierError STATE_KEY. */
  keyBeside(): Promise<Buffer>;
}

/** A state that was set aside. */
export interface RefusedState {
  readonly name: string;
  readonly bytes: Buffer;
}

/** What becomes of the states that are there when another one is written. */
export interface ReplacedState {
  /** The present state could not be opened: it is kept as `refused`. */
  readonly setAside: boolean;
  /** The name of the refused state whose contents are part of the new one: it goes when that is written. */
  readonly takenUp?: string | undefined;
}

/**
 * @param place configuration path of the section.
 * @param makes false: neither the directory nor a key is made; reading finds nothing where the directory is missing.
 */
export function createStateFolder(path: string, place: string, makes = true): StateFolder {
  const inFolder = async <T>(work: (folder: HeldFolder) => Promise<T>): Promise<T> =>
    await fileCall(path, async () => {
      await using folder = await holdFolder(path, { ...(makes ? { make: 0o700 } : {}), refuseLink: true });
      if (!isOwn(folder.stats.uid) || mayOthersWrite(folder.stats)) {
        const hint = 'Name a directory that is not there yet, such as one below it: it is made with mode 0700.';
        throw fail('STATE_NOT_WRITABLE', place, `${path} belongs to, or can be written by, other users`, { hint });
      }
      return await work(folder);
    });
  const seenOf = (error: unknown) => {
    if (error instanceof FileCallError && error.seen !== undefined) return error.seen;
    const code = errnoOf(error);
    return code === 'ETIMEDOUT' ? 'the file system hangs' : `failed (${code ?? 'unknown error'})`;
  };
  const foreign = (error: unknown, code: PannierError['failure']['code'], doing: string): unknown => {
    const errno = errnoOf(error);
    if (errno === undefined) return error;
    const details = errno === 'ELOOP' || errno === 'ENOTDIR' ? { hint: NO_DIRECTORY } : {};
    return fail(code, place, `${doing} ${path}: ${seenOf(error)}`, details);
  };
  return {
    async read() {
      try {
        return await inFolder(async ({ at }) => {
          return await readOwn(`${at}/${STATE}`, MAX_BYTES).catch((error: unknown) => ({ why: whyNotRead(error) }));
        });
      } catch (error) {
        throw foreign(error, 'STATE_UNREADABLE', 'reading the state in');
      }
    },
    async readRefused() {
      try {
        return await inFolder(async ({ at }) => {
          const found: RefusedState[] = [];
          for (const name of REFUSED) {
            const bytes = await readOwn(`${at}/${name}`, MAX_BYTES).catch(() => undefined);
            if (bytes !== undefined) found.push({ name, bytes });
          }
          return found;
        });
      } catch (error) {
        throw foreign(error, 'STATE_UNREADABLE', 'reading the state in');
      }
    },
    async write(bytes, { setAside, takenUp }) {
      try {
        await inFolder(async ({ at, tmpfs }) => {
          await writeNew(`${at}/${NEW}`, bytes, tmpfs !== true);
          if (setAside) await refuse(at, takenUp);
          await rename(`${at}/${NEW}`, `${at}/${STATE}`);
          if (takenUp !== undefined) await unlink(`${at}/${takenUp}`).catch(ignoreMissing);
          if (tmpfs !== true) await syncFolder(at);
        });
      } catch (error) {
        throw foreign(error, 'STATE_NOT_WRITABLE', 'writing the state in');
      }
    },
    async keyBeside() {
      try {
        return await inFolder(async ({ at, tmpfs }) => {
          if (tmpfs !== true) throw noKeyOnDisk(path, place);
          const known = await readOwn(`${at}/${KEY}`, MAX_KEY_BYTES);
          // Who makes nothing has no use for a key: nothing was sealed with one.
          return known ?? (makes ? await makeKey(`${at}/${KEY}`) : loadCrypto().randomBytes(MIN_KEY_BYTES));
        });
      } catch (error) {
        throw foreign(error, 'STATE_KEY', 'the key in');
      }
    },
  };
}

const NO_DIRECTORY = 'Name a directory: state.path is a symbolic link or a file.';

/** Why what is in the place of the state is not read. @throws the error when it says nothing of that. */
function whyNotRead(error: unknown): string {
  if (error instanceof FileCallError && error.seen !== undefined) return error.seen;
  const errno = errnoOf(error);
  if (errno === 'ELOOP') return 'is a symbolic link';
  if (errno === 'EFTYPE') return 'is no file, or belongs to or can be written by other users';
  throw error;
}

/** The error for a key beside a state that is not on tmpfs. */
export function noKeyOnDisk(path: string, place: string): PannierError {
  const hint = 'Set state.keyFile or state.keyEnv, or put state.path on tmpfs (below /run).';
  return fail('STATE_KEY', place, `${path} is not on tmpfs, and a key beside the state protects nothing`, { hint });
}

/** A file of this process's user or root that no other user may write; undefined when it is not there. */
async function readOwn(path: string, maxBytes: number): Promise<Buffer | undefined> {
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(ignoreMissing);
  if (file === undefined) return undefined;
  try {
    const stats = await file.stat();
    if (!stats.isFile() || !isOwn(stats.uid) || (stats.mode & 0o022) !== 0) throw new FileCallError('EFTYPE');
    if (stats.size > maxBytes) throw FileCallError.tooLarge(maxBytes, stats.size);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** Puts the present state under a name that is free, or in the place of the smallest one that was refused before. */
async function refuse(at: string, takenUp: string | undefined): Promise<void> {
  let smallest: { readonly name: string; readonly size: number } | undefined;
  let free: string | undefined;
  for (const name of REFUSED) {
    const stats = await lstat(`${at}/${name}`).catch(ignoreMissing);
    if (stats === undefined) free ??= name;
    else if (name !== takenUp && !stats.isDirectory() && !(smallest && smallest.size <= stats.size)) {
      smallest = { name, size: stats.size };
    }
  }
  const to = free ?? smallest?.name ?? REFUSED[0];
  if (free === undefined) await unlink(`${at}/${to}`).catch(ignoreMissing);
  await rename(`${at}/${STATE}`, `${at}/${to}`).catch(ignoreMissing);
}

/** Made beside and linked, so that a kill leaves no key cut short, and two processes that start at once use one key. */
async function makeKey(path: string): Promise<Buffer> {
  const key = loadCrypto().randomBytes(MIN_KEY_BYTES);
  const made = `${path}.${loadCrypto().randomBytes(6).toString('hex')}`;
  await writeNew(made, key, false);
  try {
    await link(made, path);
    return key;
  } catch (error) {
    const other = errnoOf(error) === 'EEXIST' ? await readOwn(path, MAX_KEY_BYTES) : undefined;
    if (other === undefined) throw error;
    return other;
  } finally {
    await unlink(made);
  }
}

async function writeNew(path: string, bytes: Buffer, sync: boolean): Promise<void> {
  const create = () => open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  const file = await create().catch(async (error: unknown): Promise<FileHandle> => {
    if (errnoOf(error) !== 'EEXIST') throw error;
    await unlink(path); // a kill left it
    return await create();
  });
  try {
    await file.writeFile(bytes);
    if (sync) await file.datasync();
  } finally {
    await file.close();
  }
}

async function syncFolder(at: string): Promise<void> {
  const folder = await open(`${at}/.`, O_RDONLY);
  try {
    await folder.datasync().catch(() => undefined); // some file systems do not support it
  } finally {
    await folder.close();
  }
}

function ignoreMissing(error: unknown): undefined {
  if (errnoOf(error) === 'ENOENT') return undefined;
  throw error;
}
