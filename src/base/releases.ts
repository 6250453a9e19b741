/**
 * A list of resources to release. Push the release on the line after the acquisition. `releaseAll` runs each once, the
 * last one first; when one fails it runs the rest, and then throws the failure (an AggregateError for several).
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
