import type { CallCancellation } from './call-cancellation.ts';

/**
 * Limits how many requests are under way. A request that waits for its slot has not started, so its deadline does not
 * run yet: a healthy start with 10,000 secrets is a long queue, not a timeout.
 *
 * Urgent requests (logins, renewals) go before the others, so that a queue of fetches against a slow server cannot let
 * a lease or a login end. Within each kind the order is first come, first served.
 */
export class RequestLimiter {
  #free: number;
  readonly #urgent = new Set<() => void>();
  readonly #ordinary = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /**
   * Waits for a slot. The caller must call the returned function exactly once, to give the slot back.
   * @throws the reason of `stop`.
   */
  async take(urgent: boolean, stop: CallCancellation): Promise<() => void> {
    if (stop.reason !== undefined) throw stop.reason;
    if (this.#free > 0) this.#free--;
    else await this.#wait(urgent ? this.#urgent : this.#ordinary, stop);
    return () => this.#release();
  }

  #wait(queue: Set<() => void>, stop: CallCancellation): Promise<void> {
    return new Promise((resolve, reject) => {
      const go = () => {
        cancel();
        resolve();
      };
      queue.add(go);
      const cancel = stop.listen(() => {
        queue.delete(go);
        reject(stop.reason);
      });
    });
  }

  /** Hands the slot to the next request in the queue; it never becomes free in between, so the order holds. */
  #release(): void {
    for (const queue of [this.#urgent, this.#ordinary]) {
      for (const next of queue) {
        queue.delete(next);
        next();
        return;
      }
    }
    this.#free++;
  }
}
