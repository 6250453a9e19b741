import type { ServerResponse } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import { deadline } from '../../base/deadline.ts';

/** Requests that wait for news of one secret. There are never more than connections. */
export class LongPolls {
  readonly #clock: Clock;
  readonly #byName = new Map<string, Set<() => void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when `isNews`, after `ms`, when the client is gone, or when the service ends: the caller looks again. */
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

  wake(names: Iterable<string>): void {
    for (const name of names) for (const look of [...(this.#byName.get(name) ?? [])]) look();
  }

  /** All are answered now, with what is known. */
  endAll(): void {
    this.#isOver = true;
    this.wake([...this.#byName.keys()]);
  }

  #isOver = false;
}
