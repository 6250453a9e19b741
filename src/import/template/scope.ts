import type { GoValue } from './expr.ts';

/** The variables of a Go template at one place. A block has its own, and changes those around it. */
export class Scope {
  readonly #outer: Scope | undefined;
  readonly #values = new Map<string, GoValue>();
  /** Inside of `range`: a variable from outside cannot change, since what is written here has no variables. */
  readonly isLoop: boolean;

  constructor(outer?: Scope, isLoop = false) {
    this.#outer = outer;
    this.isLoop = isLoop;
  }

  declare(name: string, value: GoValue): void {
    this.#values.set(name, value);
  }

  get(name: string): GoValue | undefined {
    return this.#values.get(name) ?? this.#outer?.get(name);
  }

  /** Gives a variable another value. Answers what prevents it. */
  assign(name: string, value: GoValue): 'unknown' | 'in a loop' | undefined {
    if (this.#values.has(name)) {
      this.#values.set(name, value);
      return undefined;
    }
    if (this.#outer === undefined) return 'unknown';
    if (this.isLoop) return this.get(name) === undefined ? 'unknown' : 'in a loop';
    return this.#outer.assign(name, value);
  }

  /** The values of all variables that can be changed here, to be put back or compared. */
  snapshot(): ReadonlyMap<string, GoValue> {
    const outer = this.#outer === undefined || this.isLoop ? [] : this.#outer.snapshot();
    return new Map([...outer, ...this.#values]);
  }

  restore(values: ReadonlyMap<string, GoValue>): void {
    for (const [name, value] of values) this.assign(name, value);
  }
}
