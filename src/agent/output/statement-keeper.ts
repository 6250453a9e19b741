import type { Made } from '../../deliver/output-state.ts';
import type { DriftLook } from '../../deliver/sink.ts';
import { configIdentity } from '../../observe/config-identity.ts';
import type { UsedValues } from './used-values.ts';

/**
 * Keeps what an output's generations are made of for the next process, and takes up what the one before kept. `init`
 * never needs it: import it on first use.
 */
export class StatementKeeper {
  readonly #look: Pick<DriftLook, 'note' | 'noted'>;
  readonly #used: Pick<UsedValues, 'known' | 'recall'>;
  /** What was noted last, as a text that differs when something else is to be noted. */
  #noted: string | undefined;

  constructor(look: Pick<DriftLook, 'note' | 'noted'>, used: Pick<UsedValues, 'known' | 'recall'>) {
    this.#look = look;
    this.#used = used;
  }

  /** Reads at the first call what is noted, and notes what is new. Never rejects: the files do not depend on it. */
  async keep(): Promise<void> {
    try {
      if (this.#noted === undefined) {
        for (const [generation, made] of await this.#look.noted()) this.#used.recall(generation, made);
      }
      const known = new Map([...this.#used.known].map(([generation, made]) => [generation, withIdentity(made)]));
      const text = JSON.stringify([...known], (_, value) => (value instanceof Map ? [...value] : value));
      if (text === this.#noted || known.size === 0) return;
      await this.#look.note(known);
      this.#noted = text;
    } catch {
      this.#noted = ''; // the next publish tries again, and tells of a disk that refuses
    }
  }
}

function withIdentity(made: Made): Made {
  return typeof made.config === 'object' ? { ...made, config: configIdentity(made.config) } : made;
}
