import type { Clock } from './clock.ts';

/** How long after a crash a task that `keep` runs begins again. */
const RESTART_MS = 1_000;

/**
 * Owns background tasks: `stop` awaits every task that was started here, and a task that throws is reported to
 * `crashed` instead of becoming an unhandled rejection. A task ends when its signal aborts; an error after that is
 * ignored.
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

  /** Starts a task under a name for messages. Does nothing after `stop`. */
  start(task: string, work: (signal: AbortSignal) => Promise<void>): void {
    if (this.#abort.signal.aborted) return;
    const running = (async () => work(this.#abort.signal))()
      .catch((error: unknown) => {
        if (!this.#abort.signal.aborted) this.#crashed(task, error);
      })
      .finally(() => this.#tasks.delete(running));
    this.#tasks.add(running);
  }

  /** Starts work that is to run until `stop`: a second after a crash it begins again. */
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

  /** Aborts every task and waits until all have ended. May be called again. */
  async stop(): Promise<void> {
    this.#abort.abort();
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }
}
