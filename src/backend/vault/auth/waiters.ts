import { onAbort } from '../../../base/on-abort.ts';

/** Callers that wait for a change. A `wait` resolves at the next `wakeAll`, or when its own signal aborts. */
export class Waiters {
  readonly #waiting = new Set<() => void>();

  wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        unlisten();
        resolve();
      };
      this.#waiting.add(wake);
      let unlisten = () => {};
      unlisten = onAbort(signal, wake);
    });
  }

  wakeAll(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
