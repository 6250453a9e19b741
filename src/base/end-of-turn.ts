/**
 * Work that waits for the end of this turn of the event loop, when all that has come is handled. For writes to other
 * processes: to wake a process that waits costs about as much as all else, and one that gets several things one right
 * after the other is woken once.
 */
export class EndOfTurn {
  #work: (() => void)[] = [];

  /** Does `work` at the end of this turn. It must not throw. */
  add(work: () => void): void {
    if (this.#work.length === 0) setImmediate(() => this.flush());
    this.#work.push(work);
  }

  /** Does now, in order, what waits. */
  flush(): void {
    const all = this.#work;
    this.#work = [];
    for (const work of all) work();
  }
}
