import { fail } from '../../base/errors.ts';
import type { ComputedByName, Rendered } from '../../render/render.ts';
import type { OutputNeeds } from './wants.ts';

/** How many times in a row a render may name new paths: the path of a secret may come from another secret. */
const MAX_ROUNDS = 10;

/** The secrets that one output needs: those its templates name, and those whose paths the templates compute. */
export class NeededSecrets {
  readonly #place: string;
  #needs: OutputNeeds;
  #names: readonly string[];
  /** Renders in a row that named a new path. */
  #rounds = 0;

  /** @param place of the output, for errors. */
  constructor(wants: ReadonlySet<string>, place: string) {
    this.#place = place;
    this.#needs = { names: wants, computed: new Map() };
    this.#names = [...wants];
  }

  get current(): OutputNeeds {
    return this.#needs;
  }

  /** The names of all of them. */
  get names(): readonly string[] {
    return this.#names;
  }

  /**
   * Takes in what a render computed. While secrets are missing paths only come; once there are files, those that the
   * templates no longer name go.
   * @returns whether `current` is another one now.
   * @throws PannierError RENDER_BAD_ARGUMENT when new paths come without end.
   */
  update({ kind, computed }: Extract<Rendered, { computed: ComputedByName }>): boolean {
    const before = this.#needs.computed;
    const isNew = [...computed.keys()].some((name) => !before.has(name));
    this.#rounds = kind === 'files' ? 0 : this.#rounds + (isNew ? 1 : 0);
    if (this.#rounds > MAX_ROUNDS) {
      this.#rounds = 0;
      const seen = `the templates still name new paths after ${MAX_ROUNDS} rounds of fetching and rendering`;
      throw fail('RENDER_BAD_ARGUMENT', this.#place, seen, { hint: 'Let paths depend on fewer other secrets.' });
    }
    if (!isNew && (kind === 'waits' || before.size === computed.size)) return false;
    const needed = kind === 'files' ? computed : new Map([...before, ...computed]);
    this.#needs = { names: this.#needs.names, computed: needed };
    this.#names = [...this.#needs.names, ...needed.keys()];
    return true;
  }
}
