import type { Failure } from '../../base/errors.ts';
import type { Wish } from '../../deliver/api/api-agent.ts';

interface PendingWish {
  readonly wish: Wish;
  /** @param why the wish could not be carried out; undefined: it was. */
  readonly done: (why: Failure | undefined) => void;
}

/** What clients have asked of an output and its loop has not done yet, in their order. */
export class Wishes {
  readonly #pending: PendingWish[] = [];

  get isEmpty(): boolean {
    return this.#pending.length === 0;
  }

  /** Resolves to why the wish could not be carried out; undefined: it was. */
  add(wish: Wish): Promise<Failure | undefined> {
    const { promise, resolve } = Promise.withResolvers<Failure | undefined>();
    this.#pending.push({ wish, done: resolve });
    return promise;
  }

  take(): PendingWish | undefined {
    return this.#pending.shift();
  }

  /** Nobody carries the wishes out any more. */
  refuse(why: Failure): void {
    for (let next = this.take(); next !== undefined; next = this.take()) next.done(why);
  }
}
