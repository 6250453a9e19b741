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

  /** Aborts every task and waits for all of them. Idempotent. */
  async stop(): Promise<void> {
    this.#abort.abort();
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }
}
