import { chmod, chown, link, lstat, mkdtemp, rename, rm, rmdir, unlink } from 'node:fs/promises';
import type { Server } from 'node:net';
import { dirname, join } from 'node:path';
import { type Failure, fail, failure, PannierError } from '../../base/errors.ts';
import type { ListenConfig } from '../../config/config.ts';
import { nameOfListen } from './listening.ts';

type Unix = Extract<ListenConfig, { kind: 'unix' }>;

export interface BindOptions {
  readonly where: ListenConfig;
  /** Configuration path, for errors. */
  readonly place: string;
  /** A live socket at the path is one of our own, to be closed: `takePlace` is what replaces it, and not `bind`. */
  readonly replaces?: boolean;
}

/** A bound place. The server is closed by its owner. */
export interface Bound {
  /**
   * Puts the socket in the place of the one that it replaces; nothing to do for one that replaces none.
   * @throws PannierError LISTEN_FAILED.
   */
  takePlace(): Promise<void>;
  /** Whether the socket file is there and is this one: somebody may have removed it. */
  isInPlace(): Promise<boolean>;
  /** Removes the socket file if it is still ours. */
  release(): Promise<void>;
}

/**
 * Makes `server` listen.
 *
 * A unix socket is made in a private directory beside its path, given its mode and owner there, and only then moved to
 * the path: at no time can anybody connect who may not. The socket file of a dead process is taken over, that of a live
 * one never.
 * @throws PannierError LISTEN_IN_USE, LISTEN_OCCUPIED, LISTEN_FAILED.
 */
export async function bind(server: Server, options: BindOptions): Promise<Bound> {
  const { where, place } = options;
  if (where.kind === 'unix') return await bindUnix(server, where, options);
  await listening(server, { host: where.host, port: where.port }, place, nameOfListen(where));
  return { takePlace: async () => {}, isInPlace: async () => true, release: async () => {} };
}

async function bindUnix(server: Server, where: Unix, { place, replaces = false }: BindOptions): Promise<Bound> {
  const { path } = where;
  const stage = await inPlace(place, path, () => mkdtemp(join(dirname(path), '.p')));
  const staged = join(stage, 's');
  const clear = async () => {
    await rm(staged, { force: true });
    await rmdir(stage).catch(() => {});
  };
  try {
    const longest = Math.max(Buffer.byteLength(path), Buffer.byteLength(staged));
    if (longest > MOST_BYTES) {
      const seen = `${path} is too long: it has ${Buffer.byteLength(path)} bytes and its directory ${Buffer.byteLength(dirname(path))}`;
      const hint = `A socket's path has ${MOST_BYTES} bytes at most, its directory ${MOST_BYTES - STAGE_BYTES}.`;
      throw fail('LISTEN_FAILED', place, seen, { hint });
    }
    await listening(server, { path: staged }, place, path);
    const made = await inPlace(place, path, async () => {
      await chmod(staged, where.mode);
      if (where.uid !== undefined || where.gid !== undefined) await chown(staged, where.uid ?? -1, where.gid ?? -1);
      return await lstat(staged);
    });
    if (!replaces) {
      await moveTo(staged, path, place);
      await clear();
    }
    return {
      async takePlace() {
        if (!replaces) return;
        await inPlace(place, path, () => rename(staged, path));
        await clear();
      },
      isInPlace: async () => (await lstat(path).catch(() => undefined))?.ino === made.ino,
      async release() {
        await clear();
        await removeIf(path, made.ino);
      },
    };
  } catch (error) {
    server.close();
    await clear();
    throw error;
  }
}

/** sun_path holds 108 bytes with its final NUL (unix(7)); Node would cut a longer one off without a word. */
const MOST_BYTES = 107;

/** `/.pXXXXXX/s` */
const STAGE_BYTES = 11;

/** `link` fails when something is there, unlike `rename`: of two agents that start at once one is refused. */
async function moveTo(staged: string, path: string, place: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await link(staged, path);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw translated(error, place, path);
      if (attempt === 2) throw fail('LISTEN_IN_USE', place, `${path} comes back as often as it is removed`);
      await removeDead(path, place);
    }
  }
}

async function removeDead(path: string, place: string): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there === undefined) return;
  if (!there.isSocket()) throw fail('LISTEN_OCCUPIED', place, `${path} is there and is no socket`);
  if (await answers(path)) throw fail('LISTEN_IN_USE', place, `another process listens on ${path}`);
  await removeIf(path, there.ino);
}

/** Only ECONNREFUSED says that nobody listens; a full backlog or a missing permission does not. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = process.getBuiltinModule('node:net').connect({ path });
    socket.once('connect', () => resolve(true));
    socket.once('error', (error) => resolve(!['ECONNREFUSED', 'ENOENT'].includes(systemCode(error))));
    socket.once('close', () => resolve(true));
    socket.once('connect', () => socket.destroy());
  });
}

async function removeIf(path: string, ino: number): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there?.ino === ino) await unlink(path).catch(() => {});
}

function listening(server: Server, where: object, place: string, shown: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: unknown) => reject(translated(error, place, shown));
    server.once('error', failed);
    server.listen(where, () => {
      server.off('error', failed);
      resolve();
    });
  });
}

async function inPlace<T>(place: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translated(error, place, path);
  }
}

function translated(error: unknown, place: string, shown: string): PannierError {
  return new PannierError(failureOf(systemCode(error), place, shown));
}

function failureOf(code: string, place: string, shown: string): Failure {
  switch (code) {
    case 'EADDRINUSE':
      return failure('LISTEN_IN_USE', place, `another process listens on ${shown}`);
    case 'ENOENT':
      return failure('LISTEN_FAILED', place, `the directory of ${shown} does not exist`, { hint: 'Make it.' });
    default:
      return failure('LISTEN_FAILED', place, `${shown} cannot be listened on (${code})`);
  }
}

const systemCode = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? 'unknown');
