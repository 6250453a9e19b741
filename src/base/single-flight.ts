/**
 * Lets callers with the same key share one running call. When the call has settled, in success or failure, the next
 * caller starts a new one: results and failures are not kept.
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
