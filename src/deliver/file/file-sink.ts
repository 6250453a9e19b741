import type { Stats } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { fail } from '../../base/errors.ts';
import { isSameFile } from '../../base/held-folder.ts';
import type { OutputConfig } from '../../config/config.ts';
import type { DriftLook, EarlierGeneration, Recovered, Sink, Staged } from '../sink.ts';
import { fillCandidate, makeGeneration } from './candidate.ts';
import { OutputDirectory } from './directory.ts';
import type { Disk } from './disk.ts';
import { Folder } from './folder.ts';
import { Generations } from './generations.ts';
import {
  hadLink,
  type LinkWork,
  makeLinks,
  planLinks,
  removeDanglingLinks,
  removeStaleLinks,
  replaceLink,
} from './links.ts';
import { createMark, type FileMark, readMark } from './mark.ts';
import { DATA, DATA_TMP, generationName, generationNumber, KEPT, KEPT_TMP } from './names.ts';
import type { Ownership } from './owners.ts';
import { type GenerationPlan, planGeneration } from './plan.ts';
import { equalsPublished, type PublishedFiles, readPublished } from './published.ts';
import { findFiles, namesOf, removeLeftovers } from './recover.ts';
import { removeTree } from './remove-tree.ts';
import { replaceFile } from './replace-file.ts';
import { unless } from './trouble.ts';
import { openVolume, syncFolder, type Volume } from './volume.ts';

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
 * Only one agent may use a directory at a time: two in turn (`init`, then `run`) are the normal case. With `owners` the
 * second of two at once is refused, and without it who finds a living owner is.
 *
 * Calls may overlap, and run one after the other; `recover` must be the first.
 */
export function createFileSink(output: OutputConfig, clock: Clock, owners?: Ownership): Sink {
  return new FileSink(output, clock, owners);
}

class FileSink implements Sink {
  readonly mark: FileMark;
  readonly #output: OutputConfig;
  readonly #place: string;
  readonly #clock: Clock;
  readonly #owners: Ownership | undefined;
  readonly #directory: OutputDirectory;
  readonly #generations: Generations;
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
    this.#place = `outputs.${output.name}`;
    this.#clock = clock;
    this.#owners = owners;
    this.#generations = new Generations(clock, output.keep ?? 1);
    this.#directory = new OutputDirectory(output, this.#place, owners, () => {
      this.#links = undefined;
    });
    this.mark = createMark(this.#directory, this.#generations, this.#place);
  }

  async earlier(generation?: number): Promise<EarlierGeneration | undefined> {
    // A rollback is rare, so its code is loaded with it.
    const { findEarlier } = await import('./going-back.ts');
    return await findEarlier(this.#directory, this.#generations, this.#place, generation);
  }

  async kept(): Promise<readonly number[]> {
    const { listEarlier } = await import('./going-back.ts');
    return await listEarlier(this.#directory, this.#generations, this.#place);
  }

  hold(generation: number | undefined): Promise<void> {
    return this.mark.hold(generation);
  }

  recover(): Promise<Recovered> {
    return this.#directory.work(
      `cannot clean ${this.#directory.path}`,
      async (volume, folder) => {
        const isOwner = this.#owners?.owns(this.#directory.path) === true;
        const recovery = { generations: this.#generations, place: this.#place, isOwner };
        const found = await findFiles(recovery, volume, folder);
        const { published, names } = found;
        const { state } = published;
        this.#hasKept = names.has(KEPT);
        if ('generation' in published) this.#published = published.generation;
        const removed = await removeLeftovers(recovery, volume, folder, found, this.#published);
        this.#links = state === 'none' || state === 'lost' ? new Set() : undefined;
        const { held } = this.#generations;
        const generation = state === 'there' ? published.generation : undefined;
        return { generation, removed, tmpfs: volume.tmpfs, ...(held === undefined ? {} : { held }) };
      },
      'anew',
    );
  }

  async stage(files: ReadonlyMap<string, Uint8Array>): Promise<Staged | 'equal' | 'held'> {
    if (!this.#directory.wasOpened) throw new TypeError('recover() comes first');
    const plan = planGeneration(this.#output, files);
    return this.#directory.work(
      `cannot write ${this.#directory.path}`,
      async (volume, folder) => {
        const { disk, procFd } = volume;
        // 1. Before the first publish most names are missing: one list is less work than as many errors.
        const names = this.#published === undefined ? new Set(await disk.readdir(folder.at())) : undefined;
        const published = await readPublished(disk, folder, this.#place, names);
        const wasOurs = async (name: string) => this.#linksBefore.has(name) || (await hadLink(disk, folder, name));
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
            this.#directory.work(`cannot read ${path}`, (volume, now) => holdsPlanAt(now.at(name), plan, volume)),
          discard: () => this.#directory.work(`cannot remove ${path}`, (_, now) => discard(now)),
          commit: () => this.#commit({ generation, plan, links, before: published, stats: folder.stats, discard }),
        };
      },
      'make',
    );
  }

  #equal({ generation, stats }: PublishedFiles & { readonly state: 'there' }, { links }: GenerationPlan): 'equal' {
    if (!this.#generations.made.has(generation)) this.#generations.noteMade(generation, stats.ctimeMs);
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
        place: this.#place,
        clock: this.#clock,
        directory: this.#directory,
        generations: this.#generations,
        published: () => this.#published,
        earlier: () => this.earlier(),
      }),
    );
    return this.#drift;
  }

  async keep(bytes: Uint8Array | undefined): Promise<void> {
    await this.#directory.work(`cannot write ${join(this.#directory.path, KEPT)}`, async (volume, folder) => {
      if (bytes === undefined) await unless('ENOENT', () => volume.disk.unlink(folder.at(KEPT)));
      else await replaceFile(folder, { name: KEPT, made: KEPT_TMP, bytes }, volume, this.#place);
    });
    this.#hasKept = bytes !== undefined;
  }

  sweep(): Promise<number | undefined> {
    return this.#directory.work(`cannot clean ${this.#directory.path}`, async (volume, folder) => {
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
    const { path } = this.#directory;
    return this.#directory.work(`cannot publish in ${path}`, async (volume, folder) => {
      const { disk } = volume;
      if (generation <= (this.#published ?? 0)) throw new TypeError('a newer generation is published already');
      const first = this.#published === undefined && !('generation' in before);
      const linksBefore = this.#links;
      this.#links = undefined;
      try {
        if (!isSameFile(folder.stats, stats)) {
          throw fail('OUTPUT_NOT_WRITABLE', this.#place, `${path} is another directory than a moment ago`);
        }
        await folder.check();
        const { ctimeMs } = await disk.lstat(folder.at(generationName(generation)));
        this.#generations.noteMade(generation, ctimeMs);
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

  /** False when a link that is stale could not be removed. */
  async #removeStaleLinks(disk: Disk, folder: Folder, keep: ReadonlySet<string>): Promise<boolean> {
    try {
      await removeStaleLinks(disk, folder, keep, await disk.entries(folder.at()));
      return true;
    } catch {
      return false;
    }
  }

  /** Whether the plan is the generation that is held back. */
  async #isHeld(plan: GenerationPlan, volume: Volume, folder: Folder): Promise<boolean> {
    const { held } = this.#generations;
    return held !== undefined && (await holdsPlanAt(folder.at(generationName(held)), plan, volume));
  }
}

/** Whether a generation's directory is there and is the plan. */
async function holdsPlanAt(at: string, plan: GenerationPlan, volume: Volume): Promise<boolean> {
  const stats = await unless('ENOENT', () => volume.disk.lstat(at));
  return stats?.isDirectory() === true && (await equalsPublished(at, stats, plan, volume));
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
