import { join, resolve } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { OutputConfig } from '../../config/config.ts';
import type { Recovered, ReloadMark, Sink, Staged } from '../sink.ts';
import { fillCandidate, makeGeneration, removeGeneration } from './candidate.ts';
import { type Disk, slowDisk } from './disk.ts';
import { Generations } from './generations.ts';
import { type LinkWork, makeLinks, planLinks, removeStaleLinks, replaceLink } from './links.ts';
import { createMark, readMark } from './mark.ts';
import { DATA, DATA_TMP, generationName, TEMPORARIES } from './names.ts';
import { type Plan, planGeneration } from './plan.ts';
import { equalsPublished, type Published, readPublished } from './published.ts';
import { errno, trouble, unless } from './trouble.ts';
import { openVolume, syncFolder, type Volume } from './volume.ts';

/**
 * An output's directory as a sink. One path look-up sees one whole file of one generation; who opens `..data` once and
 * reads below it sees one generation throughout.
 *
 * Publishing, after the AtomicWriter of Kubernetes (pkg/volume/util/atomic_writer.go):
 *
 *  stage   1. read where `..data` points; look that no name is taken by something that is not ours
 *          2. compare with the published generation on disk; equal: nothing more happens
 *          3. make `..g<N>`, N never used before, and write files, owners and modes into it (synced unless on tmpfs)
 *  commit  4. make the top-level links that are missing: `NAME` to `..data/NAME`
 *          5. make `..data_tmp` to `..g<N>` and rename it over `..data`: this instant publishes
 *          6. remove our top-level links of names that are gone
 *  sweep   7. remove generations that nobody needs any more
 *
 * A kill before 5 leaves the old generation published and some leftovers, a kill after 5 the new one; `recover` removes
 * the leftovers. A link made in 4 for a new name dangles until 5, as if the name were not there yet.
 *
 * One agent per directory at a time: two in turn (`init`, then `run`) are the normal case, two at once are not kept
 * apart. Calls may overlap, they are taken in turn; `recover` comes first.
 */
export function createFileSink(output: OutputConfig, clock: Clock): Sink {
  return new FileSink(output, clock);
}

class FileSink implements Sink {
  readonly mark: ReloadMark;
  readonly #output: OutputConfig;
  readonly #dir: string;
  readonly #place: string;
  readonly #generations: Generations;
  #volume: Volume | undefined;
  /** Ends when the last call so far has. */
  #turn: Promise<unknown> = Promise.resolve();
  /** The last generation this process published or found published. */
  #published: number | undefined;

  constructor(output: OutputConfig, clock: Clock) {
    this.#output = output;
    this.#dir = resolve(output.dir); // a trailing slash would have the last component followed
    this.#place = `outputs.${output.name}`;
    this.#generations = new Generations(this.#dir, clock);
    this.mark = createMark(this.#dir, this.#place, {
      disk: () => this.#disk,
      volume: async () => this.#volume ?? this.#open(),
    });
  }

  async recover(): Promise<Recovered> {
    return this.#inTurn(`cannot clean ${this.#dir}`, async () => {
      const { tmpfs } = await this.#open();
      const published = await readPublished(this.#disk, this.#dir, this.#place);
      await this.#generations.learn(this.#disk, published);
      // A mark without its generation, a link without its directory: their numbers were used as well.
      const mark = await readMark(this.#disk, this.#dir);
      this.#generations.met(mark?.takenUp);
      this.#generations.met(mark?.begun?.generation);
      if (published.state === 'there' || published.state === 'lost') this.#published = published.generation;
      this.#generations.met(this.#published);

      // What cannot be removed (another user's) is no reason not to publish beside it; sweep says so.
      let { removed } = await this.#generations.sweep(this.#disk, this.#published);
      for (const name of TEMPORARIES) {
        const path = join(this.#dir, name);
        const isGone = await unless('ENOENT', async () => {
          await this.#disk.unlink(path);
          return true;
        });
        if (isGone) removed++;
      }
      removed += await this.#removeDanglingLinks(published);
      return { generation: published.state === 'there' ? published.generation : undefined, removed, tmpfs };
    });
  }

  async stage(files: ReadonlyMap<string, Uint8Array>): Promise<Staged | 'equal'> {
    const volume = this.#volume;
    if (volume === undefined) throw new TypeError('recover() comes first');
    const plan = planGeneration(this.#output, files);
    return this.#inTurn(`cannot write ${this.#dir}`, async () => {
      // 1.
      const published = await readPublished(this.#disk, this.#dir, this.#place);
      const links = await planLinks(this.#disk, this.#dir, plan.links, this.#place);
      // 2.
      if (published.state === 'there' && links.missing.length + links.wrong.length === 0) {
        if (await equalsPublished(published.path, published.stats, plan, volume)) return 'equal';
      }
      // 3.
      const { generation, path } = await this.#makeGeneration();
      this.#generations.staged(generation);
      const discard = async () => {
        this.#generations.discarded(generation); // should the removal fail, the next sweep tries again
        await removeGeneration(this.#disk, path);
      };
      try {
        await fillCandidate(path, plan, volume, this.#place);
      } catch (error) {
        await discard().catch(() => undefined); // the reason it was not written says more
        throw error;
      }
      return {
        dir: path,
        generation,
        discard: () => this.#inTurn(`cannot remove ${path}`, discard),
        commit: () => this.#commit(generation, plan, links, published, discard),
      };
    });
  }

  async sweep(): Promise<number | undefined> {
    return this.#inTurn(`cannot clean ${this.#dir}`, async () => {
      const published = await readPublished(this.#disk, this.#dir, this.#place);
      const number = 'generation' in published ? published.generation : this.#published;
      const swept = await this.#generations.sweep(this.#disk, number);
      if (swept.refused !== undefined) throw swept.refused.error;
      // A candidate counts on the links it found.
      if (!this.#generations.hasStaged) await this.#removeDanglingLinks(published);
      return swept.dueInMs;
    });
  }

  #commit(generation: number, plan: Plan, links: LinkWork, before: Published, discard: () => Promise<void>) {
    return this.#inTurn(`cannot publish in ${this.#dir}`, async () => {
      if (generation <= (this.#published ?? 0)) throw new TypeError('a newer generation is published already');
      const first = this.#published === undefined && !('generation' in before);
      try {
        await makeLinks(this.#disk, this.#dir, links, this.#place); // 4.
        await replaceLink(this.#disk, this.#dir, generationName(generation), DATA_TMP, DATA); // 5.
      } catch (error) {
        await discard().catch(() => undefined);
        throw error;
      }
      this.#generations.committed(generation, this.#published);
      this.#published = generation;
      // It is published: what fails from here on cannot take that back. A rename that a power failure undoes leaves the
      // generation before, whole; a link that stays goes with the next sweep, which reports why it could not.
      await syncFolder(this.#dir, this.#volume as Volume).catch(() => undefined);
      await removeStaleLinks(this.#disk, this.#dir, plan.links).catch(() => undefined); // 6.
      return { generation, first };
    });
  }

  /** Somebody may have removed the directory while we ran: then it is made again, once. */
  async #makeGeneration(): Promise<{ generation: number; path: string }> {
    try {
      return await makeGeneration(this.#disk, this.#dir, this.#generations.next);
    } catch (error) {
      if (errno(error) !== 'ENOENT') throw error;
      await this.#open();
      return makeGeneration(this.#disk, this.#dir, this.#generations.next);
    }
  }

  /** Behind a foreign `..data` the links may lead somewhere; they stay until we publish. */
  async #removeDanglingLinks(published: Published): Promise<number> {
    if (published.state === 'foreign') return 0;
    const names = published.state === 'there' ? await unless('EACCES', () => this.#disk.readdir(published.path)) : [];
    return names === undefined ? 0 : removeStaleLinks(this.#disk, this.#dir, new Set(names));
  }

  get #disk(): Disk {
    return this.#volume?.disk ?? slowDisk;
  }

  async #open(): Promise<Volume> {
    this.#volume = await openVolume(this.#output, this.#dir, this.#place);
    return this.#volume;
  }

  /** One call after the other; a failed system call becomes our error, `what` being what could not be done. */
  #inTurn<T>(what: string, work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work).catch((error: unknown) => {
      throw trouble(error, this.#place, what);
    });
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}
