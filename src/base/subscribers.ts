/** Functions that are called, in the order in which they came, each time something happens. */
export class Subscribers<A extends readonly unknown[]> {
  readonly #all = new Set<(...args: A) => void>();

  /** Calls `subscriber` from now on, synchronously; it must not throw. Disposing what is returned ends that. */
  add(subscriber: (...args: A) => void): Disposable {
    this.#all.add(subscriber);
    return { [Symbol.dispose]: () => void this.#all.delete(subscriber) };
  }

  /** A subscriber that is added meanwhile is not told of this. */
  tell(...args: A): void {
    for (const subscriber of [...this.#all]) subscriber(...args);
  }

  clear(): void {
    this.#all.clear();
  }
}
