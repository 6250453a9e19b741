/**
 * What was acquired and must be given back. Push the release on the line after the acquisition; `releaseAll` runs them
 * last in, first out, each once, runs the rest when one fails, and then throws what failed.
 */
export class Releases {
  readonly #releases: (() => void | Promise<void>)[] = [];

  push(release: () => void | Promise<void>): void {
    this.#releases.push(release);
  }

  async releaseAll(): Promise<void> {
    const failed: unknown[] = [];
    for (let release = this.#releases.pop(); release !== undefined; release = this.#releases.pop()) {
      try {
        await release();
      } catch (error) {
        failed.push(error);
      }
    }
    if (failed.length === 1) throw failed[0];
    if (failed.length > 1) throw new AggregateError(failed, `${failed.length} releases failed`);
  }
}
