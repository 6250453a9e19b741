import type { SecretEntry, Snapshot } from './snapshot.ts';

/** What secrets there are now, and what is known of each. */
export interface PresentSecrets {
  names(): Iterable<string>;
  entryOf(name: string): SecretEntry | undefined;
}

/**
 * Numbers the states that the secrets are in together, and takes snapshots of the present one.
 *
 * What always holds:
 * - `#number`, the number of the next snapshot, grows with each change of an entry's value, life or state.
 * - `#whole` is the snapshot of all names in the present state, or undefined until the next one is asked for.
 */
export class Snapshots {
  readonly #secrets: PresentSecrets;
  #number = 0;
  #whole: Snapshot | undefined;

  constructor(secrets: PresentSecrets) {
    this.#secrets = secrets;
  }

  /** To be called when an entry changes: begins the next snapshot, and returns its number. */
  changed(): number {
    this.#whole = undefined;
    return ++this.#number;
  }

  /** See `LeaseManager.snapshot`. */
  take(names?: Iterable<string>): Snapshot {
    if (names === undefined && this.#whole !== undefined) return this.#whole;
    const entries = new Map<string, SecretEntry>();
    for (const name of names ?? this.#secrets.names()) {
      const entry = this.#secrets.entryOf(name);
      if (entry !== undefined) entries.set(name, entry);
    }
    const snapshot = Object.freeze({
      number: this.#number,
      get: (name: string) => entries.get(name),
      names: () => entries.keys(),
    });
    if (names === undefined) this.#whole = snapshot;
    return snapshot;
  }
}
