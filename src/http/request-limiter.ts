import type { CallCancellation } from './call-cancellation.ts';

/**
 * Bounds how many requests are under way. Who waits here has not started, so no deadline runs: a healthy start with
 * 10,000 secrets is a long queue, not a timeout.
 *
 * Urgent requests (logins, renewals) go before the others, so that a queue of fetches against a slow server cannot let
 * a lease or a login die. Within each kind it is first come, first served.
 */
export class RequestLimiter {
  #free: number;
  readonly #urgent = new Set<() => void>();
  readonly #ordinary = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /**
   * @returns how to give the slot back, exactly once.
   * @throws the reason of `stop`.
   */
  async take(urgent: boolean, stop: CallCancellation): Promise<() => void> {
    if (stop.reason !== undefined) throw stop.reason;
    if (this.#free > 0) this.#free--;
    else await this.#wait(urgent ? this.#urgent : this.#ordinary, stop);
    return () => this.#giveBack();
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

  /** The slot passes on to the next in the queue without becoming free, so nobody can slip in between. */
  #giveBack(): void {
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
