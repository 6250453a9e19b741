import type { Dirent, Stats } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { fail, PannierError } from '../../base/errors.ts';
import { HOLD_FLAGS, isSameFile } from '../../base/held-folder.ts';
import type { OutputConfig } from '../../config/config.ts';
import type { DriftLook, EarlierGeneration, Recovered, ReloadMark, Sink, Staged } from '../sink.ts';
import { fillCandidate, makeGeneration } from './candidate.ts';
import type { Disk, DiskHandle } from './disk.ts';
import { Folder } from './folder.ts';
import { Generations, numbersIn } from './generations.ts';
import { isTopLink, type LinkWork, makeLinks, planLinks, removeStaleLinks, replaceLink } from './links.ts';
import { type Mark, owedReload, readMark, writeMark } from './mark.ts';
import {
  DATA,
  DATA_TMP,
  generationName,
  generationNumber,
  KEPT,
  KEPT_TMP,
  MARK,
  OWNER,
  OWNER_TMP,
  TEMPORARIES,
} from './names.ts';
import type { Ownership } from './owners.ts';
import { type GenerationPlan, planGeneration } from './plan.ts';
import { equalsPublished, type PublishedFiles, readPublished } from './published.ts';
import { removeTree } from './remove-tree.ts';
import { replaceFile } from './replace-file.ts';
import { diskFailure, unless } from './trouble.ts';
import { isTmpfs, openVolume, syncFolder, type Volume } from './volume.ts';

// For looking at a directory without publishing to it; what looks loads this module when it does.
export { Folder, generationName, generationNumber, openVolume, planLinks, readMark, readPublished };

/**
 * A sink that writes an output's directory. One path look-up sees one whole file of one generation; a reader that opens
 * `..data` once and reads below it sees one generation throughout.
 *
 * Publishing, after the AtomicWriter of Kubernetes (pkg/volume/util/atomic_writer.go):
 *
 *  stage   1. read where `..data` points; check that no name is taken by something that Pannier did not make
 *          2. compare with the published generation on disk; equal: nothing more happens
 *          3. make `..g<N>`, N never used before, and write files, owners and modes into it (synced unless on tmpfs)
 *  commit  4. make the top-level links that are missing: `NAME` to `..data/NAME`
 *          5. make `..data_tmp` to `..g<N>` and rename it over `..data`: this instant publishes
 *          6. remove Pannier's top-level links of names that are gone
 *  sweep   7. remove generations that no reader needs any more
 *
 * A kill before 5 leaves the old generation published and some leftovers, a kill after 5 the new one; `recover` removes
 * the leftovers. A link made in 4 for a new name dangles until 5, as if the name were not there yet.
 *
 * What nothing has changed since this process looked is not looked at again: a start with a hundred outputs is mostly
 * calls to the file system.
 *
 * Each call opens the directory once and works by that descriptor: a symlink put in its place, or on the way to it, is
 * found before anything is read or written, and one put there later changes nothing.
 *
 * Only one agent may use a directory at a time: two in turn (`init`, then `run`) are the normal case. With `owners` the
 * second of two at once is refused, and without it who finds a living owner is.
 *
 * Calls may overlap, and run one after the other; `recover` must be the first.
 */
export function createFileSink(output: OutputConfig, clock: Clock, owners?: Ownership): Sink {
  return new FileSink(output, clock, owners);
}

class FileSink implements Sink {
  readonly mark: ReloadMark;
  readonly #output: OutputConfig;
  readonly #dir: string;
  readonly #place: string;
  readonly #clock: Clock;
  readonly #owners: Ownership | undefined;
  readonly #generations: Generations;
  #volume: Volume | undefined;
  /** The directory that `#volume` describes. */
  #known: Stats | undefined;
  /** Settles when the last call so far has ended. */
  #turn: Promise<unknown> = Promise.resolve();
  /** The last generation this process published or found published. */
  #published: number | undefined;
  #hasKept = false;
  #drift: Promise<DriftLook> | undefined;
  /** All of Pannier's top-level links, where they are known. */
  #links: ReadonlySet<string> | undefined;
  /** The top-level links of the last generation that this process published or found equal. */
  #linksBefore: ReadonlySet<string> = new Set();

  constructor(output: OutputConfig, clock: Clock, owners: Ownership | undefined) {
    this.#output = output;
    this.#dir = resolve(output.dir); // with a trailing slash, a symlink as the last component would be followed
    this.#place = `outputs.${output.name}`;
    this.#clock = clock;
    this.#owners = owners;
    this.#generations = new Generations(clock, output.keep ?? 1);
    this.mark = {
      owed: () =>
        this.#inTurn(`cannot read ${this.#dir}`, () =>
          this.#inFolder(false, ({ disk }, folder) => owedReload(disk, folder, this.#place)),
        ),
      advance: (generation, done) =>
        this.#writeMark(async ({ disk }, folder) => {
          const { takenUp = 0 } = (await readMark(disk, folder)) ?? {};
          return { takenUp, begun: { generation, done } };
        }),
      settle: (takenUp) => this.#writeMark(async () => ({ takenUp })),
    };
  }

  async earlier(generation?: number): Promise<EarlierGeneration | undefined> {
    // A rollback is rare, so its code is loaded with it.
    const { findEarlier, notReadable } = await import('./going-back.ts');
    return this.#inFolderInTurn(`cannot read ${this.#dir}`, false, async (volume, folder) => {
      const published = await readPublished(volume.disk, folder, this.#place);
      if (published.state !== 'there') return undefined;
      const place = { generations: this.#generations, published: published.generation, volume, folder };
      return await findEarlier(place, generation).catch((error: unknown) => {
        throw notReadable(error, this.#dir, this.#place);
      });
    });
  }

  async kept(): Promise<readonly number[]> {
    const { listEarlier } = await import('./going-back.ts');
    return this.#inFolderInTurn(`cannot read ${this.#dir}`, false, async (volume, folder) => {
      const published = await readPublished(volume.disk, folder, this.#place);
      const number = 'generation' in published ? published.generation : undefined;
      return await listEarlier({ generations: this.#generations, published: number, volume, folder });
    });
  }

  async hold(generation: number | undefined): Promise<void> {
    this.#generations.hold(generation);
    await this.#writeMark(async ({ disk }, folder) => {
      const { held: _, ...mark } = (await readMark(disk, folder)) ?? { takenUp: 0 };
      return mark;
    });
  }

  async recover(): Promise<Recovered> {
    this.#known = undefined; // inspect the directory again
    return this.#inFolderInTurn(`cannot clean ${this.#dir}`, true, async (volume, folder) => {
      const { disk, tmpfs } = volume;
      const entries = await disk.entries(folder.at());
      const names = namesOf(entries);
      if (this.#owners === undefined && names.has(OWNER)) {
        await (await import('./take-over.ts')).refuseOwned(this.#dir, folder.at(), this.#place);
      }
      const published = await readPublished(disk, folder, this.#place, names);
      this.#hasKept = names.has(KEPT);
      await this.#generations.estimateReplacements(disk, folder, published, names);
      // The mark or `..data` may name a generation that is gone; its number was used all the same.
      const mark = names.has(MARK) ? await readMark(disk, folder) : undefined;
      this.#generations.noteUsed(mark?.takenUp);
      this.#generations.noteUsed(mark?.begun?.generation);
      this.#generations.noteUsed(mark?.held);
      // A directory that is gone is not held back: there is nothing to compare with.
      this.#generations.hold(names.has(generationName(mark?.held ?? 0)) ? mark?.held : undefined);
      for (const [number, made] of mark?.made ?? []) this.#generations.made.set(number, made);
      if (published.state === 'there' || published.state === 'lost') this.#published = published.generation;
      this.#generations.noteUsed(this.#published);

      // A leftover of another user that cannot be removed does not stop publishing; `sweep` reports it. Generations
      // beside a foreign `..data` show that Pannier published here, so they stay until it does so again.
      const isForeign = published.state === 'foreign';
      let { removed } = isForeign
        ? NOTHING_SWEPT
        : await this.#generations.sweep(volume, folder, this.#published, names);
      const leftByOwners = this.#owners === undefined ? [] : [...names].filter((name) => name.startsWith(OWNER_TMP));
      for (const name of [...TEMPORARIES, ...leftByOwners]) {
        if (!names.has(name)) continue;
        const isGone = await unless('ENOENT', async () => {
          await disk.unlink(folder.at(name));
          return true;
        });
        if (isGone) removed++;
      }
      removed += await removeDanglingLinks(disk, folder, published, entries);
      this.#links = published.state === 'none' || published.state === 'lost' ? new Set() : undefined;
      const { held } = this.#generations;
      const generation = published.state === 'there' ? published.generation : undefined;
      return { generation, removed, tmpfs, ...(held === undefined ? {} : { held }) };
    });
  }

  async stage(files: ReadonlyMap<string, Uint8Array>): Promise<Staged | 'equal' | 'held'> {
    if (this.#volume === undefined) throw new TypeError('recover() comes first');
    const plan = planGeneration(this.#output, files);
    return this.#inFolderInTurn(`cannot write ${this.#dir}`, true, async (volume, folder) => {
      const { disk, procFd } = volume;
      // 1. Before the first publish most names are missing: one list is less work than as many errors.
      const names = this.#published === undefined ? new Set(await disk.readdir(folder.at())) : undefined;
      const published = await readPublished(disk, folder, this.#place, names);
      const wasOurs = (name: string) => this.#hadLink(name, disk, folder);
      const links = await planLinks(disk, folder, plan.links, this.#place, { present: names, wasOurs });
      // 2.
      if (published.state === 'there') {
        const at = folder.at(generationName(published.generation));
        const areLinksGood = links.missing.length + links.wrong.length === 0;
        if (areLinksGood && (await equalsPublished(at, published.stats, plan, volume)))
          return this.#equal(published, plan);
        if (await this.#isHeld(plan, volume, folder)) return 'held';
      }
      // 3.
      await folder.check();
      const generation = await makeGeneration(disk, folder, this.#generations.next);
      const name = generationName(generation);
      this.#generations.staged(generation);
      const discard = async (now: Folder) => {
        this.#generations.discarded(generation); // if the removal fails, the next sweep tries again
        if (isSameFile(now.stats, folder.stats)) await removeTree(disk, now.at(name), procFd);
      };
      try {
        await fillCandidate(folder.at(name), folder.shown(name), plan, volume, this.#place);
      } catch (error) {
        await discard(folder).catch(() => undefined); // the first error says more than that of the removal
        throw error;
      }
      const path = folder.shown(name);
      return {
        dir: path,
        generation,
        isIntact: () =>
          this.#inFolderInTurn(`cannot read ${path}`, false, (volume, now) => holdsPlanAt(now.at(name), plan, volume)),
        discard: () => this.#inFolderInTurn(`cannot remove ${path}`, false, (_, now) => discard(now)),
        commit: () => this.#commit({ generation, plan, links, before: published, stats: folder.stats, discard }),
      };
    });
  }

  #equal({ generation, stats }: PublishedFiles & { readonly state: 'there' }, { links }: GenerationPlan): 'equal' {
    if (!this.#generations.made.has(generation)) this.#generations.made.set(generation, String(stats.ctimeMs));
    this.#published = generation;
    this.#linksBefore = links;
    return 'equal';
  }

  get hasKept(): boolean {
    return this.#hasKept;
  }

  drift(): Promise<DriftLook> {
    this.#drift ??= import('./drift.ts').then(({ createDriftLook }) =>
      createDriftLook({
        output: this.#output,
        dir: this.#dir,
        place: this.#place,
        clock: this.#clock,
        generations: this.#generations,
        published: () => this.#published,
        earlier: () => this.earlier(),
        inKnownFolder: (work) => this.#inKnownFolder(work),
      }),
    );
    return this.#drift;
  }

  async keep(bytes: Uint8Array | undefined): Promise<void> {
    await this.#inFolderInTurn(`cannot write ${join(this.#dir, KEPT)}`, false, async (volume, folder) => {
      if (bytes === undefined) await unless('ENOENT', () => volume.disk.unlink(folder.at(KEPT)));
      else await replaceFile(folder, { name: KEPT, made: KEPT_TMP, bytes }, volume, this.#place);
    });
    this.#hasKept = bytes !== undefined;
  }

  async sweep(): Promise<number | undefined> {
    return this.#inFolderInTurn(`cannot clean ${this.#dir}`, false, async (volume, folder) => {
      const entries = await volume.disk.entries(folder.at());
      const names = namesOf(entries);
      const published = await readPublished(volume.disk, folder, this.#place, names);
      const number = 'generation' in published ? published.generation : this.#published;
      const swept = await this.#generations.sweep(volume, folder, number, names);
      if (swept.refused !== undefined) throw swept.refused.error;
      // A staged candidate relies on the links that it found.
      if (!this.#generations.hasStaged) await removeDanglingLinks(volume.disk, folder, published, entries);
      return swept.dueInMs;
    });
  }

  #commit({ generation, plan, links, before, stats, discard }: Candidate) {
    return this.#inFolderInTurn(`cannot publish in ${this.#dir}`, false, async (volume, folder) => {
      const { disk } = volume;
      if (generation <= (this.#published ?? 0)) throw new TypeError('a newer generation is published already');
      const first = this.#published === undefined && !('generation' in before);
      const linksBefore = this.#links;
      this.#links = undefined;
      try {
        if (!isSameFile(folder.stats, stats)) {
          throw fail('OUTPUT_NOT_WRITABLE', this.#place, `${this.#dir} is another directory than a moment ago`);
        }
        await folder.check();
        const { ctimeMs } = await disk.lstat(folder.at(generationName(generation)));
        this.#generations.made.set(generation, String(ctimeMs));
        await makeLinks(disk, folder, links, this.#place); // 4.
        await replaceLink(disk, folder, generationName(generation), DATA_TMP, { name: DATA, place: this.#place }); // 5.
      } catch (error) {
        await discard(folder).catch(() => undefined);
        throw error;
      }
      this.#generations.committed(generation, this.#published);
      this.#published = generation;
      this.#linksBefore = plan.links;
      // The generation is published, whatever fails from here on. If a power failure undoes the rename, the generation
      // before is published, whole. The next sweep removes a link that stays, or reports why it cannot.
      await syncFolder(folder.at(), volume).catch(() => undefined);
      // 6.
      const hasStale = linksBefore?.isSubsetOf(plan.links) !== true;
      if (!hasStale || (await this.#removeStaleLinks(disk, folder, plan.links))) this.#links = plan.links;
      return { generation, first };
    });
  }

  /** Whether a name that is taken was a link of Pannier's: a generation that is still there has a file for it. */
  async #hadLink(name: string, disk: Disk, folder: Folder): Promise<boolean> {
    if (this.#linksBefore.has(name)) return true;
    for (const number of numbersIn(await disk.readdir(folder.at()))) {
      const at = folder.at(`${generationName(number)}/${name}`);
      if ((await unless('ENOENT', () => disk.lstat(at))) !== undefined) return true;
    }
    return false;
  }

  /** Whether the plan is the generation that is held back. */
  async #isHeld(plan: GenerationPlan, volume: Volume, folder: Folder): Promise<boolean> {
    const { held } = this.#generations;
    if (held === undefined) return false;
    return await holdsPlanAt(folder.at(generationName(held)), plan, volume);
  }

  /** False when a link that is stale could not be removed. */
  async #removeStaleLinks(disk: Disk, folder: Folder, keep: ReadonlySet<string>): Promise<boolean> {
    try {
      await removeStaleLinks(disk, folder, keep, await disk.entries(folder.at()));
      return true;
    } catch {
      return false;
    }
  }

  #writeMark(make: (volume: Volume, folder: Folder) => Promise<Omit<Mark, 'held' | 'made'>>): Promise<void> {
    return this.#inFolderInTurn(`cannot write ${join(this.#dir, MARK)}`, false, async (volume, folder) => {
      const { held, made } = this.#generations;
      const mark = { ...(await make(volume, folder)), made, ...(held === undefined ? {} : { held }) };
      await writeMark(folder, mark, volume, this.#place);
    });
  }

  #inFolderInTurn<T>(what: string, make: boolean, work: (volume: Volume, folder: Folder) => Promise<T>): Promise<T> {
    return this.#inTurn(what, () => this.#inFolder(make, work));
  }

  /**
   * Opens the directory and works in it by its descriptor. A directory other than the last time (removed and made anew,
   * a mount over it or gone from it, a symlink somewhere on the way) is inspected as at the start.
   * @param make whether a missing directory is made.
   */
  async #inFolder<T>(make: boolean, work: (volume: Volume, folder: Folder) => Promise<T>): Promise<T> {
    return await this.#workIn((await this.#openKnown()) ?? (await this.#openAnew(make)), work);
  }

  /** Works in the directory if it is the one of the last call; undefined: it is not, or cannot be opened. */
  #inKnownFolder<T>(work: (volume: Volume, folder: Folder) => Promise<T>): Promise<T | undefined> {
    return this.#inTurn(`cannot read ${this.#dir}`, async () => {
      let opened = await this.#openKnown();
      if (opened === undefined) return undefined;
      const { held, volume } = opened;
      if ((await this.#owners?.isInPlace(this.#dir, held.at, volume.disk)) === false) {
        await held.close();
        await this.#owners?.release(this.#dir);
        opened = await this.#openAnew(false);
      }
      return await this.#workIn(opened, work);
    });
  }

  async #workIn<T>({ held, volume }: Opened, work: (volume: Volume, folder: Folder) => Promise<T>): Promise<T> {
    try {
      const { disk } = volume;
      return await work(volume, new Folder(held.at, { path: this.#dir, place: this.#place, disk, stats: held.stats }));
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
      handle = await volume.disk.open(this.#dir, HOLD_FLAGS);
    } catch {
      return undefined; // `#openAnew` reports why
    }
    try {
      const stats = await handle.stat();
      const at = volume.procFd ? `/proc/self/fd/${handle.fd}` : this.#dir;
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
    this.#links = undefined;
    const before = this.#volume;
    const { volume, held } = await openVolume(this.#output, this.#dir, this.#place, make).catch((error: unknown) => {
      // A mount that went away may come back, so this is tried again; a mount missing at the start is a mistake.
      const isGone = before !== undefined && error instanceof PannierError && error.failure.code === 'OUTPUT_NOT_TMPFS';
      throw isGone
        ? fail('OUTPUT_NOT_TMPFS', this.#place, `${error.failure.seen} any more`, { retry: 'backoff' })
        : error;
    });
    const isTaken = await this.#owners?.claim(this.#dir, held, this.#place).catch(async (error: unknown) => {
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

  /** Runs calls one after the other. A failed system call becomes a PannierError; `what` says what failed. */
  #inTurn<T>(what: string, work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work).catch((error: unknown) => {
      throw diskFailure(error, this.#place, what);
    });
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}

/** Whether a generation's directory is there and is the plan. */
async function holdsPlanAt(at: string, plan: GenerationPlan, volume: Volume): Promise<boolean> {
  const stats = await unless('ENOENT', () => volume.disk.lstat(at));
  return stats?.isDirectory() === true && (await equalsPublished(at, stats, plan, volume));
}

const NOTHING_SWEPT = { removed: 0 };

const namesOf = (entries: readonly Dirent[]): ReadonlySet<string> => new Set(entries.map(({ name }) => name));

interface Opened {
  readonly volume: Volume;
  readonly held: { readonly at: string; readonly stats: Stats; close(): void | PromiseLike<void> };
}

interface Candidate {
  readonly generation: number;
  readonly plan: GenerationPlan;
  readonly links: LinkWork;
  /** What was published when the candidate was staged. */
  readonly before: PublishedFiles;
  /** The directory that the candidate is in. */
  readonly stats: Stats;
  readonly discard: (folder: Folder) => Promise<void>;
}

/**
 * Removes Pannier's top-level links that lead nowhere, and answers how many. Where `..data` is foreign the links may
 * lead somewhere, so they stay until the next publish.
 */
async function removeDanglingLinks(
  disk: Disk,
  folder: Folder,
  published: PublishedFiles,
  entries: readonly Dirent[],
): Promise<number> {
  if (published.state === 'foreign' || !entries.some(isTopLink)) return 0;
  const { state } = published;
  const names =
    state === 'there'
      ? await unless('EACCES', () => disk.readdir(folder.at(generationName(published.generation))))
      : [];
  return names === undefined ? 0 : removeStaleLinks(disk, folder, new Set(names), entries);
}
