import { isNothingThere } from '../../backend/nothing-there.ts';
import { asFailure, type Failure, failure } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import type { SdsSecretConfig } from '../../config/config.ts';
import type { SecretEntry, Snapshot } from '../../lease/snapshot.ts';
import { bodyOf, type FieldsConfig } from './body-of.ts';
import type { SecretBody } from './secret-message.ts';
import { shownName } from './shown-names.ts';
import type { Found } from './stream.ts';
import { versionOf } from './version.ts';

/** A secret of Envoy as it was made last. */
interface Made {
  /** Tells whether the secrets that it was made of are others now. */
  stamp: string;
  /** The last one that could be used; it stays when its secret goes or becomes unusable. */
  good: { readonly version: string; readonly body: SecretBody } | undefined;
  why: Failure | undefined;
}

/**
 * Makes the secrets of Envoy. Each is made of one snapshot, so a certificate and its key are always a pair. One that
 * can no longer be made stays as it was.
 */
export class MadeSecrets {
  readonly #versionKey: Uint8Array;
  readonly #emit: Emit;
  /** By the key of a target. */
  readonly #made = new Map<string, Made>();

  constructor(versionKey: Uint8Array, emit: Emit) {
    this.#versionKey = versionKey;
    this.#emit = emit;
  }

  /** The secret with this key, made of the values in a snapshot. */
  look(snapshot: Snapshot, key: string, config: FieldsConfig): Found {
    const entries = secretsOf(config).map((secret) => snapshot.get(secret));
    const made = this.#made.get(key);
    if (entries.some((entry) => entry === undefined || entry.state === 'absent')) {
      if (made?.good !== undefined) return { state: 'ready', ...made.good };
      const absent = entries.find((entry) => entry?.state === 'absent');
      const isMissing = absent?.state === 'absent' && (absent.optional || isNothingThere(absent.why));
      return isMissing ? { state: 'missing', why: absent.why } : { state: 'awaited' };
    }
    const { good, why } = this.#make(snapshot, key, config);
    if (good !== undefined) return { state: 'ready', ...good };
    return { state: 'missing', ...(why === undefined ? {} : { why }) };
  }

  /** Why a secret could not be made of the newest values; undefined: it could, or was not tried. */
  why(key: string): Failure | undefined {
    return this.#made.get(key)?.why;
  }

  forget(key: string): void {
    this.#made.delete(key);
  }

  /**
   * A new configuration may make another thing of a name; what stays the same keeps its last good value.
   * @param isSame whether a key stands for the same as before.
   */
  keep(isSame: (key: string) => boolean): void {
    for (const [key, made] of this.#made) {
      if (isSame(key)) made.stamp = '';
      else this.#made.delete(key);
    }
  }

  /** Makes the secret of Envoy, unless it was made of these very values already. */
  #make(snapshot: Snapshot, key: string, config: FieldsConfig): Made {
    const stamp = secretsOf(config)
      .map((secret) => numberOf(snapshot.get(secret)))
      .join();
    const before = this.#made.get(key);
    if (before?.stamp === stamp) return before;
    const made: Made = { stamp, good: before?.good, why: undefined };
    try {
      const { body, remark } = bodyOf(config, (secret) => {
        const entry = snapshot.get(secret);
        return entry === undefined || entry.state === 'absent' ? new Map() : entry.value.fields;
      });
      made.good = { version: versionOf(body, this.#versionKey), body };
      if (remark !== undefined) made.why = failure('SDS_UNUSABLE', config.place, remark);
    } catch (error) {
      made.why = asFailure(error, config.place);
    }
    this.#made.set(key, made);
    if (made.why !== undefined && made.why.seen !== before?.why?.seen) {
      this.#emit({ kind: 'sds-unusable', name: shownName(key), failure: made.why });
    }
    return made;
  }
}

/** The secrets of the agent that a secret of Envoy is made of. */
export function secretsOf(config: SdsSecretConfig): readonly string[] {
  if (config.kind === 'session-tickets') return [];
  const crl = config.kind === 'trust' ? config.crl : undefined;
  return crl === undefined ? [config.from.secret] : [...new Set([config.from.secret, crl.secret])];
}

function numberOf(entry: SecretEntry | undefined): number {
  return entry === undefined || entry.state === 'absent' ? 0 : entry.valueNumber;
}
