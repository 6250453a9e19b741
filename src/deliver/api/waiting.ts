import type { ServerResponse } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import { deadline } from '../../base/deadline.ts';

/** Requests that wait for a new value of one secret. There are never more than connections. */
export class LongPolls {
  readonly #clock: Clock;
  /** Functions that look whether a wait is over, by the name of the secret. */
  readonly #byName = new Map<string, Set<() => void>>();
  #isOver = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when `isNews` is true, after `ms`, when the client leaves, or when the service ends. */
  until(name: string, ms: number, response: ServerResponse, isNews: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const waiters = this.#byName.get(name) ?? new Set();
      this.#byName.set(name, waiters);
      const end = () => {
        waiters.delete(look);
        if (waiters.size === 0) this.#byName.delete(name);
        cancel();
        response.off('close', end);
        resolve();
      };
      const look = () => {
        if (this.#isOver || isNews()) end();
      };
      waiters.add(look);
      const cancel = deadline(this.#clock, ms, end);
      response.once('close', end);
    });
  }

  /** Looks again at the requests that wait for these secrets. */
  wake(names: Iterable<string>): void {
    for (const name of names) for (const look of [...(this.#byName.get(name) ?? [])]) look();
  }

  /** Ends all waits, so that the requests are answered with what is known. */
  endAll(): void {
    this.#isOver = true;
    this.wake([...this.#byName.keys()]);
  }
}
