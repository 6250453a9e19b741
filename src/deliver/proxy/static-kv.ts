import type { CachedAnswer } from './cached-answer.ts';

interface Entry {
  readonly answer: CachedAnswer;
  readonly path: string;
}

/** A read that is under way. */
export interface StaticRead {
  readonly path: string;
  /** The secret was written meanwhile: the answer may hold the old value, and is not kept. */
  isOutdated: boolean;
}

/**
 * Kept answers to reads of KV secrets, by the request as it came. Paths are those that the server understands, decoded
 * and with their namespace, so that a write finds the answers that it outdates however its request is spelt.
 */
export class StaticKv {
  /** Entries by key, the least recently used first. */
  readonly #entries = new Map<string, Entry>();
  /** Keys of entries by path. */
  readonly #byPath = new Map<string, Set<string>>();
  /** Reads under way by path. */
  readonly #reading = new Map<string, Set<StaticRead>>();
  #bytes = 0;

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  find(key: string): CachedAnswer | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.answer;
  }

  /** Records a read that is about to be sent. Call `end` after it, whatever becomes of it. */
  begin(path: string): StaticRead {
    const reading: StaticRead = { path, isOutdated: false };
    addTo(this.#reading, path, reading);
    return reading;
  }

  end(reading: StaticRead): void {
    removeFrom(this.#reading, reading.path, reading);
  }

  keep(key: string, { path }: StaticRead, answer: CachedAnswer): void {
    this.drop(key);
    this.#entries.set(key, { answer, path });
    this.#bytes += answer.bytes;
    addTo(this.#byPath, path, key);
  }

  drop(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.answer.bytes;
    removeFrom(this.#byPath, entry.path, key);
  }

  /** Drops the least recently used answer. False: there is none. */
  dropOldest(): boolean {
    for (const key of this.#entries.keys()) {
      this.drop(key);
      return true;
    }
    return false;
  }

  /** Drops the answers that a write to `path` outdates, and marks the reads. Call it when a write begins and ends. */
  invalidate(path: string): void {
    for (const changed of pathsChangedBy(path)) {
      for (const key of [...(this.#byPath.get(changed) ?? [])]) this.drop(key);
      for (const reading of this.#reading.get(changed) ?? []) reading.isOutdated = true;
    }
  }

  /** Drops every answer whose path begins with `prefix`. */
  dropBelow(prefix: string): void {
    for (const [key, { path }] of [...this.#entries]) if (path.startsWith(prefix)) this.drop(key);
    for (const [path, readings] of this.#reading) {
      if (path.startsWith(prefix)) for (const reading of readings) reading.isOutdated = true;
    }
  }
}

const KV2_PART = /(^|\/)(?:data|metadata|delete|undelete|destroy)(?=\/)/g;

/**
 * The paths whose values a write may change: its own, and for KV version 2 that of the data, since `delete/a` and
 * `metadata/a` of a mount change what `data/a` gives. Where the mount ends is not known here, so each such part counts.
 */
function pathsChangedBy(path: string): readonly string[] {
  const paths = [path];
  for (const { index, 0: part, 1: slash = '' } of path.matchAll(KV2_PART)) {
    paths.push(`${path.slice(0, index)}${slash}data${path.slice(index + part.length)}`);
  }
  return paths;
}

function addTo<T>(map: Map<string, Set<T>>, key: string, one: T): void {
  const set = map.get(key);
  if (set === undefined) map.set(key, new Set([one]));
  else set.add(one);
}

function removeFrom<T>(map: Map<string, Set<T>>, key: string, one: T): void {
  const set = map.get(key);
  if (set?.delete(one) && set.size === 0) map.delete(key);
}
