import type { SecretStream } from './stream.ts';

/** Which streams follow what, each by the names that it has for it. */
export class Followers {
  /** By the key of a target. */
  readonly #byKey = new Map<string, Map<SecretStream, Set<string>>>();

  add(key: string, name: string, stream: SecretStream): void {
    const streams = this.#byKey.get(key) ?? new Map<SecretStream, Set<string>>();
    this.#byKey.set(key, streams);
    const names = streams.get(stream);
    if (names === undefined) streams.set(stream, new Set([name]));
    else names.add(name);
  }

  /** True: nobody follows the target any more. */
  remove(key: string, name: string, stream: SecretStream): boolean {
    const streams = this.#byKey.get(key);
    const names = streams?.get(stream);
    if (streams === undefined || names === undefined || !names.delete(name)) return false;
    if (names.size === 0) streams.delete(stream);
    return streams.size === 0 && this.#byKey.delete(key);
  }

  /** How many streams follow a target. */
  count(key: string): number {
    return this.#byKey.get(key)?.size ?? 0;
  }

  /** The streams that follow any of these targets, each once with all its names for them. Absent: any target. */
  of(keys: Iterable<string> = this.#byKey.keys()): ReadonlyMap<SecretStream, ReadonlySet<string>> {
    const byStream = new Map<SecretStream, Set<string>>();
    for (const key of keys) {
      for (const [stream, names] of this.#byKey.get(key) ?? []) {
        const gathered = byStream.get(stream);
        if (gathered === undefined) byStream.set(stream, new Set(names));
        else for (const name of names) gathered.add(name);
      }
    }
    return byStream;
  }
}
