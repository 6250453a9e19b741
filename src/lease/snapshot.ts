import type { Fetched } from '../backend/backend.ts';
import type { Failure } from '../base/errors.ts';

/**
 * What is known of one secret. `absent`: it has no value. `stale`: the last refresh failed, the value is still valid.
 * `expired`: the value is past its validity, its login or its `maxStale`.
 */
export type SecretEntry =
  | { readonly state: 'absent'; readonly why: Failure; readonly optional: boolean; readonly stateNumber: number }
  | {
      readonly state: 'fresh' | 'stale' | 'expired';
      readonly value: Fetched;
      /** When the value was last known good, on the wall clock. */
      readonly fetchedWallMs: number;
      readonly why?: Failure;
      /** The value that this one replaced, and when it was last known good; absent: the agent has had no other. */
      readonly earlier?: { readonly version: string; readonly fetchedWallMs: number };
      /** When this value first came, on the wall clock. */
      readonly changedWallMs: number;
      /** Number of the first snapshot with this value: larger for each later value, and no two values share one. */
      readonly valueNumber: number;
      /** Number of the first snapshot with this value in this state; never smaller than `valueNumber`. */
      readonly stateNumber: number;
    };

/** An entry that holds a value. */
export type HeldValue = Exclude<SecretEntry, { state: 'absent' }>;

/** An immutable, numbered view of secrets. A secret has no entry until its first answer has come. */
export interface Snapshot {
  readonly number: number;
  get(name: string): SecretEntry | undefined;
  names(): Iterable<string>;
}
