import type { OutputState, OutputTrouble } from '../../deliver/output-state.ts';

/** Where one output stands, as it is told. */
export class Standing {
  readonly #trouble: () => OutputTrouble;
  readonly #onState: (state: OutputState) => void;
  #state: OutputState;
  #isPublishing = false;

  /** @param trouble what is wrong with the published files now; told with each state that has a generation. */
  constructor(state: OutputState, trouble: () => OutputTrouble, onState: (state: OutputState) => void) {
    this.#state = Object.freeze(state);
    this.#trouble = trouble;
    this.#onState = onState;
  }

  get state(): OutputState {
    return this.#state;
  }

  /** The published generation; undefined: there is none, or it is not known good. */
  get generation(): number | undefined {
    return 'generation' in this.#state && this.#state.generation > 0 ? this.#state.generation : undefined;
  }

  /** From the beginning of a publish until its state is entered. */
  get isPublishing(): boolean {
    return this.#isPublishing;
  }

  publishBegins(): void {
    this.#isPublishing = true;
  }

  enter(state: OutputState): void {
    this.#isPublishing = false;
    let told = state;
    if (state.kind === 'owed' || state.kind === 'settled') {
      const { held: _, drift: __, ...plain } = state;
      told = { ...plain, ...this.#trouble() };
    }
    this.#state = Object.freeze(told);
    this.#onState(this.#state);
  }
}
