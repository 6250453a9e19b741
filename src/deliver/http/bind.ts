import type { Stats } from 'node:fs';
import { chmod, chown, lstat, mkdtemp, rename, rmdir, unlink } from 'node:fs/promises';
import type { Server } from 'node:net';
import { basename, dirname, join, resolve } from 'node:path';
import { fail, PannierError } from '../../base/errors.ts';
import {
  ForeignLinkError,
  type HeldFolder,
  hasProcFd,
  holdEntry,
  holdFolder,
  holdInside,
  isSameFile,
} from '../../base/held-folder.ts';
import { listenAt, listenError } from '../../http/serving/listen.ts';
import { FOREIGN_LINK_HINT } from '../foreign-link.ts';
import { placeSocket } from '../place-socket.ts';
import type { ListenOptions } from '../service.ts';
import { connectTo, DEAD } from './connect-to.ts';
import { removeLeftStages, STAGE_PREFIX } from './left-stages.ts';
import { nameOfListen } from './listening.ts';
import { openSocketFolder, type UnixListen } from './socket-folder.ts';

/** A socket or port that a server listens on. The owner of the server closes it. */
export interface BoundSocket {
  /**
   * Puts the socket in the place of the one that it replaces. Does nothing when it replaces none.
   * @throws PannierError LISTEN_FAILED.
   */
  takePlace(): Promise<void>;
  /** Whether the socket file at the path is still this one; it may have been removed or replaced. */
  isInPlace(): Promise<boolean>;
  /** Removes the socket file if it is still this one. */
  release(): Promise<void>;
}

/**
 * Makes `server` listen.
 *
 * A missing directory of a unix socket is made. The socket is made in a private directory beside its path, given its
 * mode and owner there, and only then moved to the path: at no time can a user connect who may not. The socket file of
 * a dead process is replaced, that of a live one never. All calls go by descriptors, since the directory may belong to
 * a user who exchanges what is in it.
 * @throws PannierError LISTEN_IN_USE, LISTEN_OCCUPIED, LISTEN_FAILED.
 */
export async function bind(server: Server, options: ListenOptions): Promise<BoundSocket> {
  const { where, place } = options;
  if (where.kind === 'unix') return await bindUnix(server, where, options);
  await listenAt(server, { host: where.host, port: where.port }, place, nameOfListen(where));
  return { takePlace: async () => {}, isInPlace: async () => true, release: async () => {} };
}

async function bindUnix(server: Server, where: UnixListen, options: ListenOptions): Promise<BoundSocket> {
  const { place, replaces = false, all = [where] } = options;
  const path = resolve(where.path);
  const max = hasProcFd() ? MAX_PATH_BYTES : MAX_PATH_BYTES - STAGE_BYTES;
  const length = Buffer.byteLength(hasProcFd() ? path : dirname(path));
  if (length > max) {
    const hint = `A socket's path can have at most ${MAX_PATH_BYTES} bytes.`;
    throw fail('LISTEN_FAILED', place, `${path} is too long: it has ${Buffer.byteLength(path)} bytes`, { hint });
  }
  const inFolder = <T>(work: (entry: string, folder: HeldFolder) => Promise<T>) =>
    translating(place, path, async () => {
      await using folder = await holdFolder(dirname(path));
      return await work(join(folder.at, basename(path)), folder);
    });
  const beside = all.filter((one) => one.kind === 'unix' && dirname(resolve(one.path)) === dirname(path));
  const stage = await translating(place, path, async () => {
    await using folder = await openSocketFolder(dirname(path), beside as readonly UnixListen[], place);
    if (!folder.made) await removeLeftStages(folder);
    return await makeStage(folder, place, path);
  });
  const staged = join(stage.at, 's');
  const clear = async () => {
    await unlink(staged).catch(() => {});
    await inFolder((_, folder) => rmdir(join(folder.at, stage.name))).catch(() => {});
  };
  try {
    await listenAt(server, { path: staged }, place, path);
    server.once('close', () => void stage[Symbol.asyncDispose]());
    const made = await translating(place, path, () => giveAccess(staged, where));
    if (!replaces) {
      await inFolder((entry) => moveTo(staged, entry, path, place));
      await clear();
    }
    return {
      async takePlace() {
        if (!replaces) return;
        await inFolder((entry) => rename(staged, entry));
        await clear();
      },
      isInPlace: () => isStill(path, made),
      async release() {
        await clear();
        await inFolder((entry) => removeIf(entry, made)).catch(() => {});
      },
    };
  } catch (error) {
    server.close();
    await clear();
    await stage[Symbol.asyncDispose]();
    throw error;
  }
}

/** sun_path holds 108 bytes with its final NUL (unix(7)); Node would cut a longer path off without an error. */
const MAX_PATH_BYTES = 107;

/** What the private directory and the socket in it add to the path: `/.pXXXXXX/s`. */
const STAGE_BYTES = 11;

/**
 * The private directory. It is held open as long as the server listens: at the end libuv removes the socket by the path
 * that it was made at.
 */
interface Stage extends HeldFolder {
  readonly name: string;
}

async function makeStage(folder: HeldFolder, place: string, path: string): Promise<Stage> {
  const name = basename(await mkdtemp(join(folder.at, STAGE_PREFIX)));
  const stage = await holdInside(folder, name);
  const { uid, mode } = stage.stats;
  if (uid === process.geteuid?.() && (mode & 0o077) === 0) return { ...stage, name };
  await stage[Symbol.asyncDispose]();
  throw fail('LISTEN_FAILED', place, `the private directory beside ${path} was exchanged while the socket was made`);
}

/** Sets mode and owner by a descriptor, although no other user may write in the private directory. */
async function giveAccess(staged: string, { mode, uid, gid }: UnixListen): Promise<Stats> {
  await using socket = await holdEntry(staged);
  if (!socket.stats.isSocket()) throw Object.assign(new Error('no socket'), { code: 'ENOTSOCK' });
  await chmod(socket.at, mode);
  if (uid !== undefined || gid !== undefined) await chown(socket.at, uid ?? -1, gid ?? -1);
  return socket.stats;
}

/** Moves the socket to its path, where it replaces only a dead socket. */
async function moveTo(staged: string, entry: string, path: string, place: string): Promise<void> {
  await placeSocket(staged, entry, async (at) => {
    const shown = at === entry ? path : `${path}_lock`; // of another agent that takes its place
    const there = await lstat(at).catch(() => undefined);
    if (there === undefined) return 'nothing';
    if (!there.isSocket()) throw fail('LISTEN_OCCUPIED', place, `${shown} exists and is not a socket`);
    const answer = await connectTo(at);
    if (answer === 'EACCES') {
      const hint = 'End the process that listens there, or remove the file if there is none.';
      throw fail('LISTEN_IN_USE', place, `another user's process may listen on ${shown}`, { hint });
    }
    if (!DEAD.has(answer)) throw fail('LISTEN_IN_USE', place, `another process listens on ${shown}`);
    return 'dead';
  });
}

async function removeIf(entry: string, wanted: Stats): Promise<void> {
  if (await isStill(entry, wanted)) await unlink(entry).catch(() => {});
}

async function isStill(entry: string, wanted: Stats): Promise<boolean> {
  const there = await lstat(entry).catch(() => undefined);
  return there !== undefined && isSameFile(there, wanted);
}

/** Runs `work`, and turns a foreign error into a PannierError. */
async function translating<T>(place: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof PannierError ? error : translated(error, place, path);
  }
}

function translated(error: unknown, place: string, shown: string): PannierError {
  if (error instanceof ForeignLinkError) {
    const seen = `${error.link} is a symlink that another user can exchange`;
    return fail('LISTEN_FAILED', place, seen, { hint: FOREIGN_LINK_HINT });
  }
  return listenError(error, place, shown);
}
