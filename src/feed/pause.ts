import type { Clock } from '../base/clock.ts';

/** The wait of a loop, which others can end. */
export class Pause {
  #wake = () => {};

  /** Ends the wait. Does nothing while there is none. */
  wake(): void {
    this.#wake();
  }

  /** Resolves after `ms`, 30 s at most (`Clock.after`), or at `wake`; at once when `isOver`. */
  wait(clock: Clock, ms: number, isOver: boolean): Promise<void> {
    return new Promise((resolve) => {
      const cancel = clock.after(ms, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
      if (isOver) this.#wake();
    });
  }
}
