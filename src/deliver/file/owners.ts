import type { Stats } from 'node:fs';
import type { Server } from 'node:net';
import { errnoWord } from '../../base/errno.ts';
import { failure } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import { type HeldFolder, isSameFile } from '../../base/held-folder.ts';
import type { Disk } from './disk.ts';
import { OWNER } from './names.ts';
import { unless } from './trouble.ts';

export interface OwnersDeps {
  /** What the socket tells of this agent: the file of its configuration, and when it started. */
  readonly tell: () => { readonly configuration: string; readonly startedWallMs: number };
  readonly emit: Emit;
}

/** What a sink needs of the owners of directories. */
export type Ownership = Pick<Owners, 'claim' | 'isInPlace' | 'forget'>;

interface Owned {
  readonly folder: HeldFolder;
  readonly server: Server;
  /** The socket, when it was first looked at. */
  socket?: Stats;
}

/**
 * The directories that this agent owns, so that no second agent publishes in one of them.
 *
 * An owner listens on the unix socket `..owner` in the directory. To make it is to claim the directory, since the
 * system makes a socket only where nothing is. It works between containers that share a volume, where pids mean
 * nothing, and ends with its process: nothing answers on a dead owner's socket, so the next agent removes it and makes
 * its own.
 * See docs/decisions/0013-owner-socket.md.
 *
 * The directory is held open for as long as it is owned: at the end libuv removes the socket by the path that it was
 * made at.
 */
export class Owners implements AsyncDisposable {
  readonly #deps: OwnersDeps;
  readonly #owned = new Map<string, Owned>();
  /** Directories in which no socket can be made; told once. */
  readonly #unguarded = new Set<string>();

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
    const path = `${folder.at}/${OWNER}`;
    let server = await this.#listen(path);
    if (server === 'EADDRINUSE') {
      const { inUse, takeOver } = await import('./take-over.ts');
      const found = await takeOver(path, () => this.#listen(path));
      if (found.kind === 'owned') throw inUse(dir, found.seen, place);
      server = found.kind === 'taken' ? found.server : found.code;
    }
    if (typeof server !== 'string') {
      this.#owned.set(dir, { folder, server });
      return true;
    }
    if (!this.#unguarded.has(dir)) {
      this.#unguarded.add(dir);
      const seen = `no socket can be made in ${dir} (${server})`;
      this.#deps.emit({ kind: 'agent-warning', warning: failure('OUTPUT_UNGUARDED', place, seen) });
    }
    return false;
  }

  /** Whether the socket still is this agent's, or the directory is not. @param at of the open directory */
  async isInPlace(dir: string, at: string, disk: Pick<Disk, 'lstat'>): Promise<boolean> {
    const owned = this.#owned.get(dir);
    if (owned === undefined) return true;
    const there = await unless('ENOENT', () => disk.lstat(`${at}/${OWNER}`));
    if (there === undefined) return false;
    owned.socket ??= there;
    return isSameFile(owned.socket, there);
  }

  /** As `release`, for a directory where another socket may be at the path. */
  async forget(dir: string): Promise<void> {
    const owned = this.#owned.get(dir);
    if (owned === undefined) return;
    const { closeBeside } = await import('./take-over.ts');
    this.#owned.delete(dir);
    await closeBeside(owned.server, `${owned.folder.at}/${OWNER}`);
    await owned.folder[Symbol.asyncDispose]();
  }

  /** Gives a directory up. Does nothing when this agent does not own it. */
  async release(dir: string): Promise<void> {
    const owned = this.#owned.get(dir);
    if (owned === undefined) return;
    this.#owned.delete(dir);
    await new Promise((resolve) => owned.server.close(resolve));
    await owned.folder[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#owned.keys()].map((dir) => this.release(dir)));
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
