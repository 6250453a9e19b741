/**
 * Bounds how many fetches from one backend have begun; the others wait here, first come, first served. The client sends
 * no more than sixteen at a time in any case, but a fetch that waits in there is a chain of suspended calls, here a
 * single one: 5,000 secrets at a start take 60 MiB less at the peak. Far more than sixteen, so that a backend whose
 * requests carry many secrets each can gather them; a multiple of 20, which is what BatchGetSecretValue takes.
 */
export const MAX_BEGUN = 260;

export class FetchLimiter {
  #begun = 0;
  readonly #waiting: (() => void)[] = [];
  #next = 0;

  /** Resolves when a fetch may begin; undefined: at once. `leave` must follow. */
  enter(): Promise<void> | undefined {
    if (this.#begun < MAX_BEGUN) {
      this.#begun++;
      return undefined;
    }
    return new Promise((begin) => this.#waiting.push(begin));
  }

  /** The place passes on to the next that waits without becoming free, so nobody can slip in between. */
  leave(): void {
    const begin = this.#waiting[this.#next++];
    if (begin !== undefined) return void begin();
    this.#begun--;
    this.#waiting.length = 0;
    this.#next = 0;
  }
}
