import { asFailure, type Failure } from '../../base/errors.ts';
import type { ReloadMark } from '../../deliver/sink.ts';
import type { Reload } from '../../reload/reload.ts';

/**
 * How far the reload of one output has come. Each step that is done is done for that generation: a later step that
 * fails does not make it run again, neither in this process nor in the next.
 *
 * The progress is kept here first and written into the mark on disk after that. When the mark cannot be written, an
 * application that took the generation up is not told again for as long as this process lives.
 */
export class ReloadProgress {
  readonly #mark: ReloadMark;
  /** All steps of the reload, in order. */
  readonly steps: readonly Reload[];
  readonly #place: string;
  /** The published generation, which the fields below are about; 0: none yet. */
  #generation = 0;
  /** Ids of the steps that are done, in order. */
  #done: readonly string[] = [];
  #isTakenUp = false;
  #isAskedFor = false;
  /** The mark does not say everything that is known here. */
  #isUnwritten = false;

  /** @param place of the output, for an error of the mark that has no code. */
  constructor(mark: ReloadMark, steps: readonly Reload[], place: string) {
    this.#mark = mark;
    this.steps = steps;
    this.#place = place;
  }

  /** Goes on where an earlier loop of this process stopped, perhaps with other steps. */
  follow(before: ReloadProgress): void {
    this.#generation = before.#generation;
    this.#done = before.#done;
    this.#isTakenUp = before.#isTakenUp;
    this.#isAskedFor = before.#isAskedFor;
    this.#isUnwritten = before.#isUnwritten;
  }

  /** A new generation was published, and no step is done for it. */
  published(generation: number): void {
    this.#generation = generation;
    this.#done = [];
    this.#isTakenUp = false;
    this.#isAskedFor = false;
    this.#isUnwritten = false;
  }

  /** Every step is to run again, although the application may have the generation: a client asked for that. */
  askAgain(generation: number): void {
    this.published(generation);
    this.#isAskedFor = true;
  }

  get isAskedFor(): boolean {
    return this.#isAskedFor;
  }

  /**
   * The published generation while steps are left to run for it; undefined: the application has it, or nothing is
   * published.
   * @param justPublished the generation that was published a moment ago: then the disk has nothing more to say.
   * @throws PannierError when the directory cannot be read.
   */
  async owed(justPublished?: number): Promise<number | undefined> {
    const isKnown = justPublished !== undefined && justPublished === this.#generation;
    const owed = isKnown ? { generation: justPublished, done: this.#done } : await this.#mark.owed();
    if (owed === undefined) return this.#isAskedFor ? this.#generation : undefined;
    if (owed.generation !== this.#generation) {
      this.published(owed.generation);
      this.#done = owed.done;
    }
    return this.#isTakenUp ? undefined : this.#generation;
  }

  /** The steps that are left for the published generation, each with its number from 1 on. */
  left(): readonly (readonly [number, Reload])[] {
    const isDone = (step: Reload, at: number) => step.id === this.#done[at];
    const first = this.steps.findIndex((step, at) => !isDone(step, at));
    return first === -1 ? [] : [...this.steps.entries()].slice(first).map(([at, step]) => [at + 1, step]);
  }

  /** Step `number` is done. A mark that cannot be written delays no later step: `write` says why at the end. */
  async stepDone(number: number): Promise<void> {
    this.#done = this.steps.slice(0, number).map(({ id }) => id);
    if (number === this.steps.length) return;
    this.#isUnwritten = true;
    await this.write();
  }

  /** The application has this generation, or needs no reload for it. */
  async takenUp(generation: number): Promise<void> {
    this.#generation = generation;
    this.#isTakenUp = true;
    this.#isAskedFor = false;
    this.#isUnwritten = true;
    await this.write();
  }

  /** Writes into the mark what it does not say yet. @returns why that failed; undefined: the mark says everything. */
  async write(): Promise<Failure | undefined> {
    if (!this.#isUnwritten) return undefined;
    try {
      if (this.#isTakenUp) await this.#mark.settle(this.#generation);
      else await this.#mark.advance(this.#generation, this.#done);
      this.#isUnwritten = false;
      return undefined;
    } catch (error) {
      return asFailure(error, this.#place);
    }
  }
}
