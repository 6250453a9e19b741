import type { Failure } from '../base/errors.ts';
import type { Config } from '../config/config.ts';

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

/** One value that the files of a generation are made of. */
export interface MadeValue {
  /** The identity of its want, or the hash of that where an earlier process noted it. */
  readonly id: string;
  readonly version: string;
  /** No other agent has this version: a lease, a certificate, or what is in a file of this machine. */
  readonly isOwn: boolean;
  /** When it was last known good as the files were made, on the wall clock. */
  readonly fetchedWallMs: number;
  /**
   * The number that this process gave the value, whatever the backend calls its version later. Absent: an earlier
   * process made the files.
   */
  readonly valueNumber?: number;
}

/** What the files of a generation are made of. It holds no value of a secret. */
export interface Made {
  /** The configuration, or its identity where that is known already; undefined: an agent without one. */
  readonly config: Config | string | undefined;
  /** The version of Pannier that made them; absent: this one. */
  readonly by?: string;
  /** When the generation was published, on the wall clock; absent: by an earlier process that did not note it. */
  readonly atWallMs?: number;
  /** By name of the secret; the name of a computed one has a space in it. */
  readonly values: ReadonlyMap<string, MadeValue>;
}

/** The generation that is published, whatever state the output is in. */
export interface PublishedGeneration {
  readonly generation: number;
  /** Absent: an earlier process published it, and it is not known what it made it of. */
  readonly made?: Made | undefined;
}
