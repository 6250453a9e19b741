import type { Change } from './change.ts';

/**
 * What somebody wants to hear of: whole paths with their namespace, such as `team-a/secret/shop/app`. A mark that ends
 * in a slash stands for all paths below it.
 */
export type Marks = readonly string[];

/** The parts of the API of KV version 2 that change what `data/` reads. */
const KV_PARTS = /\/(?:data|metadata|delete|undelete|destroy)(?=\/)/g;

/** A path and what it is without `data/` or its like, wherever that stands: the mount may have slashes of its own. */
export function kvForms(path: string): Marks {
  const forms = [path];
  for (const { index, 0: part } of path.matchAll(KV_PARTS)) {
    forms.push(path.slice(0, index) + path.slice(index + part.length));
  }
  return forms;
}

/** By marks, those who want to hear of a change. */
export class Topics<T> {
  readonly #byMark = new Map<string, Set<T>>();
  readonly #marks = new Map<T, Marks>();

  get size(): number {
    return this.#marks.size;
  }

  /** Everything that was added and not removed. */
  all(): Iterable<T> {
    return this.#marks.keys();
  }

  add(topic: T, marks: Marks): void {
    this.#marks.set(topic, marks);
    for (const mark of marks) {
      const known = this.#byMark.get(mark);
      if (known === undefined) this.#byMark.set(mark, new Set([topic]));
      else known.add(topic);
    }
  }

  remove(topic: T): void {
    for (const mark of this.#marks.get(topic) ?? []) {
      const known = this.#byMark.get(mark);
      known?.delete(topic);
      if (known?.size === 0) this.#byMark.delete(mark);
    }
    this.#marks.delete(topic);
  }

  /** Those whom a change may concern; rather too many than too few. */
  of({ namespace, path, reach }: Change): ReadonlySet<T> {
    const found = new Set<T>();
    if (reach !== 'path') {
      const prefix = reach === 'namespace' ? namespace : `${namespace}${path.replace(/\/*$/, '/')}`;
      for (const [topic, marks] of this.#marks) {
        if (marks.some((mark) => mark.startsWith(prefix))) found.add(topic);
      }
      return found;
    }
    for (const form of kvForms(namespace + path)) {
      this.#take(form.replace(/\/+$/, ''), found);
      for (let at = form.indexOf('/'); at >= 0; at = form.indexOf('/', at + 1))
        this.#take(form.slice(0, at + 1), found);
    }
    return found;
  }

  #take(mark: string, found: Set<T>): void {
    for (const topic of this.#byMark.get(mark) ?? []) found.add(topic);
  }
}
