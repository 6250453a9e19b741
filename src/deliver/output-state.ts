import type { Failure } from '../base/errors.ts';

/** Where an output stands. The states follow each other in this order; each change of a secret starts anew. */
export type OutputState =
  /** Not all of its secrets have a value yet. */
  | { readonly kind: 'waiting'; readonly missing: readonly string[] }
  /** Rendering or publishing failed; the last generation stays. */
  | { readonly kind: 'failed'; readonly why: Failure }
  /** Published; the application was not told yet, or telling it failed with `why`. */
  | { readonly kind: 'owed'; readonly generation: number; readonly why?: Failure }
  /** The application has taken the published generation up. `why`: the mark that says so cannot be written. */
  | { readonly kind: 'settled'; readonly generation: number; readonly why?: Failure };
