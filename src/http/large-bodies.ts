/** A body may grow to this size without a turn. Nearly all secrets are smaller, and most lists. */
export const FREE_BODY_BYTES = 1024 * 1024;

/**
 * The turns of long bodies from one backend: one body at a time grows beyond `FREE_BODY_BYTES`. The connections of the
 * others are not read meanwhile, so a backend that sends without end takes 16 MiB and 1 MiB a connection of the agent's
 * memory, not 16 MiB a connection. A wait is a part of its request's time. Each backend has turns of its own, so one
 * that keeps its turn as long as it can delays no other backend.
 */
export class LargeBodies {
  #turn: (() => void) | undefined;
  readonly #waiting = new Set<() => void>();

  /** Calls `begin` when the turn has come, which may be at once. Returns what ends the turn, or the wait for it. */
  enter(begin: () => void): () => void {
    const mine = () => begin();
    this.#waiting.add(mine);
    this.#next();
    return () => {
      this.#waiting.delete(mine);
      if (this.#turn === mine) this.#turn = undefined;
      this.#next();
    };
  }

  #next(): void {
    if (this.#turn !== undefined) return;
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.#waiting.delete(next);
    this.#turn = next;
    next();
  }
}
