import type { Clock } from './clock.ts';

/** Between a crash and the next beginning. */
const RESTART_MS = 1_000;

/**
 * Owner of background work: every promise started here is awaited at `stop`, and a task that throws is told to
 * `crashed` instead of becoming an unhandled rejection. Tasks end by their signal; a throw after that is not a crash.
 */
export class Supervisor {
  readonly #abort = new AbortController();
  readonly #tasks = new Set<Promise<void>>();
  readonly #crashed: (task: string, error: unknown) => void;

  constructor(crashed: (task: string, error: unknown) => void) {
    this.#crashed = crashed;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  start(task: string, work: (signal: AbortSignal) => Promise<void>): void {
    if (this.#abort.signal.aborted) return;
    const running = (async () => work(this.#abort.signal))()
      .catch((error: unknown) => {
        if (!this.#abort.signal.aborted) this.#crashed(task, error);
      })
      .finally(() => this.#tasks.delete(running));
    this.#tasks.add(running);
  }

  /** Like `start` for work that never ends by itself: after a crash it begins again, a second later. */
  keep(task: string, clock: Clock, work: (signal: AbortSignal) => Promise<void>): void {
    this.start(task, async (signal) => {
      while (!signal.aborted) {
        try {
          return await work(signal);
        } catch (error) {
          if (signal.aborted) return;
          this.#crashed(task, error);
          await clock.sleep(RESTART_MS, signal);
        }
      }
    });
  }

  /** Aborts every task and waits for all of them. Idempotent. */
  async stop(): Promise<void> {
    this.#abort.abort();
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }
}
