import type { SecretConfig } from '../../config/config.ts';

/** Secrets by computed paths, by name, each with its place in a template. */
export type ComputedPlaces = () => ReadonlyMap<string, { readonly place: string }>;

/**
 * The secrets that one listener shows. A listener that shows all tells the states of those by computed paths as well,
 * and fetches them when asked; their values are for the template that names them.
 */
export class VisibleSecrets {
  readonly #secrets: ReadonlyMap<string, SecretConfig>;
  readonly #names: ReadonlySet<string>;
  readonly #computed: ComputedPlaces;

  /** @param shown absent: all of `secrets`. */
  constructor(
    secrets: ReadonlyMap<string, SecretConfig>,
    shown: readonly string[] | undefined,
    computed: ComputedPlaces,
  ) {
    this.#secrets = secrets;
    this.#names = new Set(shown ?? secrets.keys());
    this.#computed = shown === undefined ? computed : () => NONE;
  }

  /** Whether the state of this one may be told. */
  knows(name: string): boolean {
    return this.has(name) || this.#computed().has(name);
  }

  /** Everything whose state may be told. */
  known(): readonly string[] {
    return [...this.#names, ...this.#computed().keys()];
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  names(): readonly string[] {
    return [...this.#names];
  }

  /** What is behind a name that it has. */
  of(name: string): SecretConfig {
    return this.#secrets.get(name) as SecretConfig;
  }

  placeOf(name: string): string {
    return (this.#secrets.get(name) ?? this.#computed().get(name))?.place ?? 'secrets';
  }
}

const NONE: ReturnType<ComputedPlaces> = new Map();
