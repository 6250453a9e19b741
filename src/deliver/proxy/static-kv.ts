import type { CachedAnswer } from './cached-answer.ts';

interface Entry {
  readonly answer: CachedAnswer;
  readonly path: string;
}

/** A read that is under way. */
export interface StaticRead {
  readonly path: string;
  /** The secret was written meanwhile: the answer may be the old one, and is not kept. */
  isSpoilt: boolean;
}

/**
 * Answers of reads of KV secrets, by the request as it came; the least recently asked for go first. Paths are those of
 * the server, decoded and with their namespace, so that a write finds what it outdates however its request spells it.
 */
export class StaticKv {
  /** In the order in which they were last asked for. */
  readonly #entries = new Map<string, Entry>();
  readonly #byPath = new Map<string, Set<string>>();
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

  /** To be called before the read is sent, and `end` in any case after it. */
  begin(path: string): StaticRead {
    const reading: StaticRead = { path, isSpoilt: false };
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

  /** False when there is none. */
  dropOldest(): boolean {
    for (const key of this.#entries.keys()) {
      this.drop(key);
      return true;
    }
    return false;
  }

  /** A write to `path` begins or has ended. */
  wrote(path: string): void {
    for (const one of outdatedBy(path)) {
      for (const key of [...(this.#byPath.get(one) ?? [])]) this.drop(key);
      for (const reading of this.#reading.get(one) ?? []) reading.isSpoilt = true;
    }
  }

  /** Everything whose path begins so. */
  dropBelow(prefix: string): void {
    for (const [key, { path }] of [...this.#entries]) if (path.startsWith(prefix)) this.drop(key);
    for (const [path, readings] of this.#reading) {
      if (path.startsWith(prefix)) for (const reading of readings) reading.isSpoilt = true;
    }
  }
}

const KV2_PART = /(^|\/)(?:data|metadata|delete|undelete|destroy)(?=\/)/g;

/**
 * The path itself, and that of the data of KV version 2 that it may stand for: `delete/a` and `metadata/a` of a mount
 * change what `data/a` gives. Which part is the mount's end is not known here, so each that may be counts.
 */
function outdatedBy(path: string): readonly string[] {
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
