import type { Stats } from 'node:fs';
import { resolve } from 'node:path';
import { fail, PannierError } from '../../base/errors.ts';
import { HOLD_FLAGS, isSameFile } from '../../base/held-folder.ts';
import type { OutputConfig } from '../../config/config.ts';
import type { DiskHandle } from './disk.ts';
import { Folder } from './folder.ts';
import type { Ownership } from './owners.ts';
import { diskFailure } from './trouble.ts';
import { isTmpfs, openVolume, type Volume } from './volume.ts';

/** What is done in the open directory. */
export type Work<T> = (volume: Volume, folder: Folder) => Promise<T>;

interface Opened {
  readonly volume: Volume;
  readonly held: { readonly at: string; readonly stats: Stats; close(): void | PromiseLike<void> };
}

/**
 * The directory of an output, for work in it. Each call opens the directory once and works by that descriptor: a
 * symlink put in its place, or on the way to it, is found before anything is read or written, and one put there later
 * changes nothing. A directory other than the last time (removed and made anew, a mount over it or gone from it, a
 * symlink somewhere on the way) is inspected as at the start, and claimed where there are owners.
 *
 * Calls may overlap, and run one after the other.
 */
export class OutputDirectory {
  readonly path: string;
  readonly #output: OutputConfig;
  readonly #place: string;
  readonly #owners: Ownership | undefined;
  readonly #onOther: () => void;
  #volume: Volume | undefined;
  /** The directory that `#volume` describes. */
  #known: Stats | undefined;
  /** Settles when the last call so far has ended. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @param onOther what is known of the contents holds no longer: the directory may be another one. */
  constructor(output: OutputConfig, place: string, owners: Ownership | undefined, onOther: () => void) {
    this.path = resolve(output.dir); // with a trailing slash, a symlink as the last component would be followed
    this.#output = output;
    this.#place = place;
    this.#owners = owners;
    this.#onOther = onOther;
  }

  /** Whether the directory was opened before. */
  get wasOpened(): boolean {
    return this.#volume !== undefined;
  }

  /**
   * Works in the directory, after the calls before.
   * @param what failed, for messages, when a system call does.
   * @param how `make`: a missing directory is made. `anew`: likewise, and one that is there is inspected in any case.
   * @throws PannierError as `openVolume` does, and for a failed system call.
   */
  work<T>(what: string, work: Work<T>, how?: 'make' | 'anew'): Promise<T> {
    return this.#inTurn(what, async () => {
      const opened = how === 'anew' ? undefined : await this.#openKnown();
      return await this.#workIn(opened ?? (await this.#openAnew(how !== undefined)), work);
    });
  }

  /** Works in the directory if it is the one of the last call; undefined: it is not, or cannot be opened. */
  workIfKnown<T>(work: Work<T>): Promise<T | undefined> {
    return this.#inTurn(`cannot read ${this.path}`, async () => {
      let opened = await this.#openKnown();
      if (opened === undefined) return undefined;
      const { held, volume } = opened;
      if ((await this.#owners?.isInPlace(this.path, held.at, volume.disk)) === false) {
        await held.close();
        await this.#owners?.release(this.path);
        opened = await this.#openAnew(false);
      }
      return await this.#workIn(opened, work);
    });
  }

  async #workIn<T>({ held, volume }: Opened, work: Work<T>): Promise<T> {
    try {
      const { at, stats } = held;
      return await work(volume, new Folder(at, { path: this.path, place: this.#place, disk: volume.disk, stats }));
    } finally {
      await held.close();
    }
  }

  /** Opens the directory if it is the one of the last call; undefined when it is not, or cannot be opened. */
  async #openKnown(): Promise<Opened | undefined> {
    const volume = this.#volume;
    if (volume === undefined || this.#known === undefined) return undefined;
    let handle: DiskHandle;
    try {
      handle = await volume.disk.open(this.path, HOLD_FLAGS);
    } catch {
      return undefined; // `#openAnew` reports why
    }
    try {
      const stats = await handle.stat();
      const at = volume.procFd ? `/proc/self/fd/${handle.fd}` : this.path;
      if (isSameFile(stats, this.#known) && (!this.#output.requireTmpfs || (await isTmpfs(volume.disk, at)) === true)) {
        return { volume, held: { at, stats, close: () => handle.close() } };
      }
    } catch (error) {
      await handle.close();
      throw error;
    }
    await handle.close();
    return undefined;
  }

  async #openAnew(make: boolean): Promise<Opened> {
    this.#known = undefined;
    this.#onOther();
    const before = this.#volume;
    const { volume, held } = await openVolume(this.#output, this.path, this.#place, make).catch((error: unknown) => {
      // A mount that went away may come back, so this is tried again; a mount missing at the start is a mistake.
      const isGone = before !== undefined && error instanceof PannierError && error.failure.code === 'OUTPUT_NOT_TMPFS';
      throw isGone
        ? fail('OUTPUT_NOT_TMPFS', this.#place, `${error.failure.seen} any more`, { retry: 'backoff' })
        : error;
    });
    const isTaken = await this.#owners?.claim(this.path, held, this.#place).catch(async (error: unknown) => {
      await held[Symbol.asyncDispose]();
      throw before === undefined || !(error instanceof PannierError)
        ? error
        : new PannierError({ ...error.failure, retry: 'backoff' });
    });
    this.#volume = volume;
    this.#known = held.stats;
    const close = isTaken === true ? () => {} : () => held[Symbol.asyncDispose]();
    return { volume, held: { at: held.at, stats: held.stats, close } };
  }

  /** Runs calls one after the other. A failed system call becomes a PannierError. */
  #inTurn<T>(what: string, work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work).catch((error: unknown) => {
      throw diskFailure(error, this.#place, what);
    });
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}
