import type { SecretConfig } from '../../config/config.ts';

/** The secrets that one listener shows. */
export class Visible {
  readonly #secrets: ReadonlyMap<string, SecretConfig>;
  readonly #names: ReadonlySet<string>;

  /** @param shown absent: all of `secrets`. */
  constructor(secrets: ReadonlyMap<string, SecretConfig>, shown: readonly string[] | undefined) {
    this.#secrets = secrets;
    this.#names = new Set(shown ?? secrets.keys());
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
    return this.of(name).place;
  }
}
