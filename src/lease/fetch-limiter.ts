/**
 * How many fetches from one part of a backend run at most. Far more than the sixteen that a client sends at a time, so
 * that a backend whose requests carry many secrets each can gather them; a multiple of 20, which is what
 * BatchGetSecretValue takes.
 */
export const MAX_RUNNING = 260;

/**
 * Limits how many fetches from one part of a backend run; the others wait here, first come, first served. The client
 * limits its requests too, but a fetch that waits there is a chain of suspended calls and here a single one: 5,000
 * secrets at a start take 60 MiB less at the peak.
 */
export class FetchLimiter {
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  #next = 0;

  /** Resolves when a fetch may begin; undefined means at once. `leave` must be called when the fetch has ended. */
  enter(): Promise<void> | undefined {
    if (this.#running < MAX_RUNNING) {
      this.#running++;
      return undefined;
    }
    return new Promise((begin) => this.#waiting.push(begin));
  }

  /** Passes the place on to the fetch that has waited longest; the place is not free in between. */
  leave(): void {
    const begin = this.#waiting[this.#next++];
    if (begin !== undefined) return void begin();
    this.#running--;
    this.#waiting.length = 0;
    this.#next = 0;
  }
}
