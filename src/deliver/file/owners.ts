import type { Stats } from 'node:fs';
import { lstat, unlink } from 'node:fs/promises';
import type { Server } from 'node:net';
import { errnoWord } from '../../base/errno.ts';
import { failure, PannierError } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import { type HeldFolder, isSameFile } from '../../base/held-folder.ts';
import { placeSocket } from '../place-socket.ts';
import type { Disk } from './disk.ts';
import { OWNER, OWNER_TMP } from './names.ts';
import { unless } from './trouble.ts';

export interface OwnersDeps {
  /** What the socket tells of this agent: the file of its configuration, and when it started. */
  readonly tell: () => { readonly configuration: string; readonly startedWallMs: number };
  readonly emit: Emit;
}

/** What a sink needs of the owners of directories. */
export type Ownership = Pick<Owners, 'claim' | 'owns' | 'isInPlace' | 'release'>;

interface Owned {
  readonly folder: HeldFolder;
  readonly server: Server;
  readonly socket: Stats;
}

/**
 * The directories that this agent owns, so that no second agent publishes in one of them.
 *
 * An owner listens on the unix socket `..owner` in the directory. To put it there is to claim the directory, since
 * `link` does so only where nothing is. It works between containers that share a volume, where pids mean nothing, and
 * ends with its process: nothing answers on a dead owner's socket, so the next agent puts its own in its place.
 * See docs/decisions/0013-owner-socket.md.
 *
 * The directory is held open for as long as it is owned, so that the socket is removed from it and from no other one.
 */
export class Owners implements AsyncDisposable {
  readonly #deps: OwnersDeps;
  readonly #owned = new Map<string, Owned>();
  /** Directories in which no socket can be made, and the code of the error, which was told. */
  readonly #unguarded = new Map<string, string>();

  constructor(deps: OwnersDeps) {
    this.#deps = deps;
  }

  /**
   * Claims a directory for this agent. True: `folder` is needed for as long as the directory is owned, so the caller
   * does not close it. False: the agent owned it already, or no socket can be made in it.
   * @throws PannierError OUTPUT_IN_USE: another agent owns the directory.
   */
  async claim(dir: string, folder: HeldFolder, place: string): Promise<boolean> {
    const before = this.#owned.get(dir);
    if (before !== undefined && isSameFile(before.folder.stats, folder.stats)) return false;
    await this.release(dir);
    const made = await this.#make(dir, folder, place);
    if (typeof made === 'string') {
      if (this.#unguarded.get(dir) !== made) this.#tellUnguarded(dir, made, place);
      this.#unguarded.set(dir, made);
      return false;
    }
    this.#unguarded.delete(dir);
    this.#owned.set(dir, made);
    return true;
  }

  /** Whether this agent is the owner of the directory. */
  owns(dir: string): boolean {
    return this.#owned.has(dir);
  }

  /**
   * Whether the socket still is this agent's. False also where none could be made and it is worth another try; true for
   * what is not claimed.
   * @param at of the open directory
   */
  async isInPlace(dir: string, at: string, disk: Pick<Disk, 'lstat'>): Promise<boolean> {
    const owned = this.#owned.get(dir);
    if (owned === undefined) return !this.#unguarded.has(dir) || LASTING.has(this.#unguarded.get(dir) as string);
    const there = await unless('ENOENT', () => disk.lstat(`${at}/${OWNER}`));
    return there !== undefined && isSameFile(owned.socket, there);
  }

  /** Gives a directory up. Does nothing when this agent does not own it, and leaves the socket of another one alone. */
  async release(dir: string): Promise<void> {
    const owned = this.#owned.get(dir);
    if (owned === undefined) return;
    this.#owned.delete(dir);
    const path = `${owned.folder.at}/${OWNER}`;
    const there = await lstat(path).catch(() => undefined);
    if (there !== undefined && isSameFile(owned.socket, there)) await unlink(path).catch(() => {});
    await new Promise((resolve) => owned.server.close(resolve));
    await owned.folder[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#owned.keys()].map((dir) => this.release(dir)));
  }

  #tellUnguarded(dir: string, code: string, place: string): void {
    const seen = `no socket can be made in ${dir} (${code})`;
    const advice =
      code === 'EISDIR' ? `Remove the directory ${OWNER} or ${OWNER}_lock in it.` : 'See what is in the way.';
    const hint = `${advice} The agent tries again at each look at what is published.`;
    const warning = failure('OUTPUT_UNGUARDED', place, seen, LASTING.has(code) ? {} : { hint });
    this.#deps.emit({ kind: 'agent-warning', warning });
  }

  /** Makes the socket. @returns the code of the error when none can be made. @throws PannierError OUTPUT_IN_USE. */
  async #make(dir: string, folder: HeldFolder, place: string): Promise<Owned | string> {
    for (let attempt = 1; ; attempt++) {
      const made = await this.#tryToMake(dir, folder, place);
      // An owner clears what it finds at its start, the socket of an agent that is about to be refused included.
      if (made !== 'ENOENT' || attempt === ATTEMPTS) return made;
    }
  }

  async #tryToMake(dir: string, folder: HeldFolder, place: string): Promise<Owned | string> {
    const staged = `${folder.at}/${OWNER_TMP}${Math.random().toString(36).slice(2, 10)}`;
    const server = await this.#listen(staged);
    if (typeof server === 'string') return server;
    let isMade = false;
    try {
      const socket = await lstat(staged);
      const look = async (path: string) => (await import('./take-over.ts')).askOwner(path);
      const placed = await placeSocket(staged, `${folder.at}/${OWNER}`, look);
      isMade = placed === 'placed';
      if (placed === 'placed') return { folder, server, socket };
      if (placed.kind === 'owned') throw (await import('./take-over.ts')).inUse(dir, placed.seen, place);
      return placed.code;
    } catch (error) {
      if (error instanceof PannierError) throw error;
      return errnoWord(error);
    } finally {
      await unlink(staged).catch(() => {});
      if (!isMade) await new Promise((resolve) => server.close(resolve));
    }
  }

  /** A server, or the code of the error. */
  async #listen(path: string): Promise<Server | string> {
    const server = process.getBuiltinModule('node:net').createServer((socket) => {
      const { configuration, startedWallMs } = this.#deps.tell();
      socket.on('error', () => {});
      socket.unref().end(`${JSON.stringify({ pid: process.pid, since: startedWallMs, configuration })}\n`, () => {
        socket.destroy();
      });
    });
    const { promise, resolve } = Promise.withResolvers<Server | string>();
    server.once('error', (error) => resolve(errnoWord(error)));
    server.once('listening', () => resolve(server));
    server.maxConnections = MAX_CONNECTIONS;
    // Whoever may pass the directory may ask, since an agent of another user must know whether the owner lives.
    const umask = process.umask(0o111);
    try {
      server.listen({ path });
    } finally {
      process.umask(umask);
    }
    return await promise;
  }
}

const MAX_CONNECTIONS = 32;

/** Each owner that begins meanwhile can be in the way once. */
const ATTEMPTS = 10;

/** Errors that come again: of a file system without sockets or links, or without the right to make them. */
const LASTING: ReadonlySet<string> = new Set([
  'EOPNOTSUPP',
  'ENOTSUP',
  'ENOSYS',
  'EPERM',
  'EACCES',
  'EROFS',
  'EINVAL',
  'ENAMETOOLONG',
]);
