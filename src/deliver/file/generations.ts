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

/**
 * The numbered generations of one directory: which numbers were used, and which directories may go.
 *
 * Numbers only grow, so a number above the published one was never published: a candidate, or what a kill left of one.
 * A number below it was published once, and may have readers.
 */
export class Generations {
  readonly #clock: Clock;
  /** The highest number ever met or used here. */
  #last = 0;
  /** Candidates of this process that are neither committed nor discarded. */
  readonly #staged = new Set<number>();
  /** When each earlier generation stopped being the published one, on the monotonic clock. */
  readonly #replacedAt = new Map<number, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get next(): number {
    return this.#last + 1;
  }

  get hasStaged(): boolean {
    return this.#staged.size > 0;
  }

  /** Numbers up to this one are used, wherever that is known from. */
  met(generation: number | undefined): void {
    this.#last = Math.max(this.#last, generation ?? 0);
  }

  staged(generation: number): void {
    this.#staged.add(generation);
    this.met(generation);
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
   * Reads from the disk when the generations that an earlier process published were replaced, never too early:
   * the previous one when `..data` was made; one before that, at the latest when the next but one was begun.
   */
  async learn(disk: Disk, folder: Folder, published: PublishedFiles): Promise<void> {
    const numbers = await this.#list(disk, folder);
    for (const number of numbers) this.met(number);
    if (published.state !== 'there') return;
    const line = numbers.filter((number) => number <= published.generation);
    for (const [at, number] of line.slice(0, -1).entries()) {
      const witness = line[at + 2];
      const { mtimeMs } = await disk.lstat(folder.at(witness === undefined ? DATA : generationName(witness)));
      const age = Math.max(0, this.#clock.wallMs() - mtimeMs);
      this.#replacedAt.set(number, this.#clock.monoMs() - age);
    }
  }

  /**
   * Removes what was never published, and what was replaced 10 s ago or earlier, except the published generation and
   * the one before it. What another process adds above our numbers is left alone until our numbers have passed it.
   */
  async sweep({ disk, procFd }: Volume, folder: Folder, published: number | undefined): Promise<SweepResult> {
    const numbers = await this.#list(disk, folder);
    const past = numbers.filter((number) => number < (published ?? 0));
    const previous = past.at(-1);
    let removed = 0;
    let dueInMs: number | undefined;
    let refused: SweepResult['refused'];
    for (const number of numbers) {
      if (number === published || number === previous) continue;
      const wait = past.includes(number) ? this.#waitMs(number) : this.#isLeftover(number) ? 0 : undefined;
      if (wait === undefined) continue;
      if (wait > 0) {
        dueInMs = Math.min(dueInMs ?? wait, wait);
        continue;
      }
      try {
        await folder.check();
        await removeTree(disk, folder.at(generationName(number)), procFd);
        this.#replacedAt.delete(number);
        removed++;
      } catch (error) {
        refused ??= { error };
      }
    }
    return { removed, dueInMs, refused };
  }

  /** A generation whose end nobody saw counts as replaced now. */
  #waitMs(number: number): number {
    const now = this.#clock.monoMs();
    const replacedAt = this.#replacedAt.get(number) ?? now;
    this.#replacedAt.set(number, replacedAt);
    return Math.max(0, replacedAt + KEEP_MS - now);
  }

  #isLeftover(number: number): boolean {
    return number <= this.#last && !this.#staged.has(number);
  }

  /** Ascending. */
  async #list(disk: Disk, folder: Folder): Promise<number[]> {
    const numbers = (await disk.readdir(folder.at())).map(generationNumber).filter((number) => number !== undefined);
    return numbers.sort((a, b) => a - b);
  }
}
