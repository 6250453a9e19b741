import type { SecretConfig } from '../../config/config.ts';

/** Gives the computed secrets by name, each with the place in the template that computed its path. */
export type ComputedPlaces = () => ReadonlyMap<string, { readonly place: string }>;

/**
 * The secrets that one listener shows. A listener that shows all also tells the states of computed secrets, and
 * refreshes them when asked; their values are only for the template that names them.
 */
export class VisibleSecrets {
  readonly #secrets: ReadonlyMap<string, SecretConfig>;
  readonly #names: ReadonlySet<string>;
  readonly #computed: ComputedPlaces;

  /** @param shown undefined: all of `secrets`. */
  constructor(
    secrets: ReadonlyMap<string, SecretConfig>,
    shown: readonly string[] | undefined,
    computed: ComputedPlaces,
  ) {
    this.#secrets = secrets;
    this.#names = new Set(shown ?? secrets.keys());
    this.#computed = shown === undefined ? computed : () => NONE;
  }

  /** Whether the state of this secret may be told. */
  knows(name: string): boolean {
    return this.has(name) || this.#computed().has(name);
  }

  /** The names of all secrets whose state may be told. */
  known(): readonly string[] {
    return [...this.#names, ...this.#computed().keys()];
  }

  /** Whether the value of this secret may be read. */
  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** The names of all secrets whose values may be read. */
  names(): readonly string[] {
    return [...this.#names];
  }

  /** The secret of a name for which `has` is true. */
  of(name: string): SecretConfig {
    return this.#secrets.get(name) as SecretConfig;
  }

  /** Where a secret is configured, or its path computed. */
  placeOf(name: string): string {
    return (this.#secrets.get(name) ?? this.#computed().get(name))?.place ?? 'secrets';
  }
}

const NONE: ReturnType<ComputedPlaces> = new Map();
