import type { Fetched } from '../backend/backend.ts';
import type { Failure } from '../base/errors.ts';

/** What is known of one secret. `stale`: the last refresh failed, the value is still valid. */
export type SecretEntry =
  | { readonly state: 'absent'; readonly why: Failure; readonly optional: boolean; readonly stateNumber: number }
  | {
      readonly state: 'fresh' | 'stale' | 'expired';
      readonly value: Fetched;
      /** When the value was last known good, on the wall clock. */
      readonly fetchedWallMs: number;
      readonly why?: Failure;
      /** When this value was first met, on the wall clock. */
      readonly changedWallMs: number;
      /** Of the first snapshot with this value: grows with each other value, and no two values share one. */
      readonly valueNumber: number;
      /** Of the first snapshot with this value in this state; never smaller than `valueNumber`. */
      readonly stateNumber: number;
    };

/** An entry that holds a value. */
export type HeldValue = Exclude<SecretEntry, { state: 'absent' }>;

/** An immutable, numbered view of all secrets. A name that no answer has come for yet has no entry. */
export interface Snapshot {
  readonly number: number;
  get(name: string): SecretEntry | undefined;
  names(): Iterable<string>;
}
