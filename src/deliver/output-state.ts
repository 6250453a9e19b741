import type { Failure } from '../base/errors.ts';

/** Why older values are published than there are. */
export interface Held {
  /** OUTPUT_CHECK_FAILED, OUTPUT_VERIFY_FAILED, or OUTPUT_HELD. */
  readonly why: Failure;
  /** The generation that was taken back; absent: the newest values were never published. */
  readonly generation?: number;
}

/** What is told of the files of an output beside their state. */
export interface OutputTrouble {
  /** Newer values are there, and are not published. */
  readonly held?: Held;
  /** OUTPUT_DRIFTED: what is on disk is not what was published, and is not put right yet. */
  readonly drift?: Failure;
}

/** Where an output stands. The states follow each other in this order; each change of a secret starts anew. */
export type OutputState =
  /** Not all of its secrets have a value yet. */
  | { readonly kind: 'waiting'; readonly missing: readonly string[] }
  /** Rendering or publishing failed; the last generation stays. */
  | { readonly kind: 'failed'; readonly why: Failure }
  /** Published; the application was not told yet, or telling it failed with `why`. */
  | ({
      readonly kind: 'owed';
      readonly generation: number;
      readonly why?: Failure;
      /** The reload waits for the turn of this replica, on the monotonic clock. Absent: it does not wait. */
      readonly dueMonoMs?: number;
    } & OutputTrouble)
  /** The application has taken the published generation up. `why`: the mark that says so cannot be written. */
  | ({ readonly kind: 'settled'; readonly generation: number; readonly why?: Failure } & OutputTrouble);
