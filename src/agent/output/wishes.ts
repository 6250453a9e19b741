import { type Failure, failure } from '../../base/errors.ts';
import type { Wish } from '../../deliver/api/api-agent.ts';

export interface PendingWish {
  readonly wish: Wish;
  /** @param why the wish could not be carried out; undefined: it was. */
  readonly done: (why: Failure | undefined) => void;
}

/** What clients have asked of one output and is not done yet, in their order. */
export class Wishes {
  readonly #place: string;
  readonly #pending: PendingWish[] = [];
  #isEnded = false;

  constructor(place: string) {
    this.#place = place;
  }

  /** Resolves to why the wish could not be carried out; undefined: it was. */
  add(wish: Wish): Promise<Failure | undefined> {
    const { promise, resolve } = Promise.withResolvers<Failure | undefined>();
    this.#pending.push({ wish, done: resolve });
    if (this.#isEnded) this.end();
    return promise;
  }

  /** Takes the oldest wish, which the caller carries out; undefined: there is none. */
  next(): PendingWish | undefined {
    return this.#pending.shift();
  }

  /** Refuses every wish, also those that come later: nobody carries them out any more. */
  end(): void {
    this.#isEnded = true;
    const seen = 'the output has another configuration, or the agent stops';
    for (const { done } of this.#pending.splice(0)) done(failure('CANCELLED', this.#place, seen));
  }
}
