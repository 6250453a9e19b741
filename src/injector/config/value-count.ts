import type { Wrong } from '../wrong.ts';

/**
 * The most values (texts, numbers, maps and lists) in the annotations of one pod. Each may be wrong in some way of its
 * own, and to find out takes much longer than to read it. A configuration of 32 KiB whose values have sixteen
 * characters with their keys has as many.
 */
const MAX_VALUES = 2000;

/** Counts the values in the annotations of one pod, and tells when there are too many. */
export class ValueCount {
  #count = 0;
  readonly #wrong: Wrong[];

  constructor(wrong: Wrong[]) {
    this.#wrong = wrong;
  }

  get isTooMany(): boolean {
    return this.#count > MAX_VALUES;
  }

  /** @returns whether these are too many, which is told once. */
  add(count: number, where: string): boolean {
    const wasTooMany = this.isTooMany;
    this.#count += count;
    if (!wasTooMany && this.isTooMany) {
      this.#wrong.push({ where, seen: `makes more than ${MAX_VALUES} values for the agent: use config-map` });
    }
    return this.isTooMany;
  }
}
