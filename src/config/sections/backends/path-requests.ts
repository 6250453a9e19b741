import type { SecretRequest } from '../secrets/config.ts';

/** The requests behind `secret PATH` and `secrets PATH` in templates. */
export interface PathRequests {
  /** The fields at a path. `isPrivate`: the path was computed from values, so no message may show it. */
  secret(path: string, isPrivate: boolean): SecretRequest;
  /** The names below a path, in the field `keys`. */
  secrets(path: string, isPrivate: boolean): SecretRequest;
}

/** The backends that templates can ask by a path, by name. */
export type AskableBackends = ReadonlyMap<string, PathRequests>;
