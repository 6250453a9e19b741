/**
 * Joins callers of the same key to one running call. The slot is free again when the call has settled, whichever way,
 * so a failure is never remembered.
 */
export class SingleFlight<K, V> {
  readonly #running = new Map<K, Promise<V>>();

  run(key: K, call: () => Promise<V>): Promise<V> {
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const started = (async () => call())().finally(() => {
      if (this.#running.get(key) === started) this.#running.delete(key);
    });
    this.#running.set(key, started);
    return started;
  }

  has(key: K): boolean {
    return this.#running.has(key);
  }
}
