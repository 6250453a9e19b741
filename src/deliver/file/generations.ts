import type { Clock } from '../../base/clock.ts';
import type { Disk } from './disk.ts';
import type { Folder } from './folder.ts';
import { DATA, generationName, generationNumber } from './names.ts';
import type { PublishedFiles } from './published.ts';
import { removeTree } from './remove-tree.ts';
import type { Volume } from './volume.ts';

/** How long a replaced generation stays for readers that have it open. */
export const KEEP_MS = 10_000;

export interface SweepResult {
  readonly removed: number;
  /** In how many milliseconds a further generation may go; undefined when none waits. */
  readonly dueInMs: number | undefined;
  /** The first removal that failed; the others were tried nevertheless. */
  readonly refused: { readonly error: unknown } | undefined;
}

/** What this process remembers of a generation that it has published or found published. */
export interface Remembered {
  readonly generation: number;
  /** Whether the generation still is on disk what was published: names, bytes, modes and owners. */
  isUntouched(volume: Volume, folder: Folder): Promise<boolean>;
  /** Whether these are its files to the last byte. */
  isOf(files: ReadonlyMap<string, Uint8Array>): boolean;
}

/**
 * The numbered generations of one directory: which numbers were used, and which directories may go.
 *
 * Numbers only grow, so a number above the published one was never published: a candidate, or what a kill left of one.
 * A number below it was published once, and may have readers.
 */
export class Generations {
  readonly #clock: Clock;
  readonly #keep: number;
  /** The highest number known to have been used. */
  #last = 0;
  /** Candidates of this process that are neither committed nor discarded. */
  readonly #staged = new Set<number>();
  #held: number | undefined;
  /** Generations that were held back once: nothing goes back to them. */
  readonly #takenBack = new Set<number>();
  readonly #made = new Map<number, string>();
  readonly #remembered = new Map<number, Remembered>();
  /** Generations that another process has changed: nothing goes back to them. */
  readonly #spoiled = new Set<number>();
  /** When each earlier generation stopped being the published one, on the monotonic clock. */
  readonly #replacedAt = new Map<number, number>();

  /** @param keep how many generations before the published one stay. */
  constructor(clock: Clock, keep: number) {
    this.#clock = clock;
    this.#keep = keep;
  }

  get next(): number {
    return this.#last + 1;
  }

  get hasStaged(): boolean {
    return this.#staged.size > 0;
  }

  /** Records that this number, and every one below it, was used. Undefined changes nothing. */
  noteUsed(generation: number | undefined): void {
    this.#last = Math.max(this.#last, generation ?? 0);
  }

  staged(generation: number): void {
    this.#staged.add(generation);
    this.noteUsed(generation);
  }

  /** The generation that is held back; it stays, to be compared with. */
  get held(): number | undefined {
    return this.#held;
  }

  /** When the directory of each generation was last changed, by its ctime, as it was published. Absent: not known. */
  get made(): ReadonlyMap<number, string> {
    return this.#made;
  }

  /** Records when the directory of a generation was changed last, which is as it is to be published. */
  noteMade(generation: number, ctimeMs: number | string): void {
    this.#made.set(generation, String(ctimeMs));
  }

  /** What was held back is not gone back to, also when another one is held back later, or none. */
  hold(generation: number | undefined): void {
    this.#held = generation;
    if (generation === undefined) return;
    this.#takenBack.add(generation);
    this.#made.delete(generation);
  }

  remember(generation: Remembered): void {
    this.#remembered.set(generation.generation, generation);
  }

  /** Undefined: this process has not published it, or not looked at it yet. */
  remembered(generation: number): Remembered | undefined {
    return this.#remembered.get(generation);
  }

  /** Records whether a look found this generation other than it was published; links are no part of it. */
  looked(generation: number, isSpoiled: boolean): void {
    if (isSpoiled) this.#spoiled.add(generation);
    else this.#spoiled.delete(generation);
  }

  discarded(generation: number): void {
    this.#staged.delete(generation);
  }

  /** @param before the generation that was published until now; undefined when there was none. */
  committed(generation: number, before: number | undefined): void {
    this.#staged.delete(generation);
    if (before !== undefined) this.#replacedAt.set(before, this.#clock.monoMs());
  }

  /**
   * Estimates from the disk when the generations of an earlier process were replaced. An estimate may be late, never
   * early: the previous generation was replaced when `..data` was made, an older one at the latest when the next but
   * one was begun.
   */
  async estimateReplacements(
    disk: Disk,
    folder: Folder,
    published: PublishedFiles,
    names: Iterable<string>,
  ): Promise<void> {
    const numbers = numbersIn(names);
    for (const number of numbers) this.noteUsed(number);
    if (published.state !== 'there') return;
    const sequence = numbers.filter((number) => number <= published.generation);
    for (const [at, number] of sequence.slice(0, -1).entries()) {
      const nextButOne = sequence[at + 2];
      const { mtimeMs } = await disk.lstat(folder.at(nextButOne === undefined ? DATA : generationName(nextButOne)));
      const age = Math.max(0, this.#clock.wallMs() - mtimeMs);
      this.#replacedAt.set(number, this.#clock.monoMs() - age);
    }
  }

  /**
   * Removes generations that were never published, and those that were replaced 10 s ago or earlier, except the
   * published generation, those that are kept before it and the one that is held back. A number above every used one
   * belongs to another process; its directory stays until this process has used a higher number.
   * @param names what is in the folder.
   */
  async sweep(
    { disk, procFd }: Volume,
    folder: Folder,
    published: number | undefined,
    names: Iterable<string>,
  ): Promise<SweepResult> {
    const numbers = numbersIn(names);
    const past = numbers.filter((number) => number < (published ?? 0));
    const kept = this.earlier(published, numbers).slice(-this.#keep);
    let removed = 0;
    let dueInMs: number | undefined;
    let refused: SweepResult['refused'];
    for (const number of numbers) {
      if (number === published || kept.includes(number) || number === this.#held) continue;
      const wait = past.includes(number) ? this.#waitMs(number) : this.#isLeftover(number) ? 0 : undefined;
      if (wait === undefined) continue;
      if (wait > 0) {
        dueInMs = Math.min(dueInMs ?? wait, wait);
        continue;
      }
      try {
        await folder.check();
        await removeTree(disk, folder.at(generationName(number)), procFd);
        this.#forget(number);
        removed++;
      } catch (error) {
        refused ??= { error };
      }
    }
    for (const number of [...this.#made.keys(), ...this.#remembered.keys()]) {
      if (!numbers.includes(number)) this.#forget(number);
    }
    return { removed, dueInMs, refused };
  }

  /**
   * The generations that were published before this one, were not held back, and are as they were published as far as
   * looks have found; ascending. What is gone back to is compared first, see going-back.ts.
   */
  earlier(published: number | undefined, numbers: readonly number[]): readonly number[] {
    const isGood = (number: number) => !this.#takenBack.has(number) && !this.#spoiled.has(number);
    return numbers.filter((number) => number < (published ?? 0) && isGood(number));
  }

  /** How long a replaced generation has to stay. One whose replacement this process did not see counts from now. */
  #waitMs(number: number): number {
    const now = this.#clock.monoMs();
    const replacedAt = this.#replacedAt.get(number) ?? now;
    this.#replacedAt.set(number, replacedAt);
    return Math.max(0, replacedAt + KEEP_MS - now);
  }

  #forget(number: number): void {
    this.#replacedAt.delete(number);
    this.#spoiled.delete(number);
    this.#takenBack.delete(number);
    this.#remembered.delete(number);
    this.#made.delete(number);
  }

  #isLeftover(number: number): boolean {
    return number <= this.#last && !this.#staged.has(number);
  }
}

/** The numbers of all generation directories, ascending. */
export function numbersIn(names: Iterable<string>): number[] {
  const numbers = [...names].map(generationNumber).filter((number) => number !== undefined);
  return numbers.sort((a, b) => a - b);
}
