import type { Failure } from '../base/errors.ts';
import type { KeptLogin } from './kept-login.ts';

/**
 * A key that a backend keeps and that encrypts other keys: `wrap` and `unwrap`. It logs in at the first use. Disposing
 * of it revokes that login, unless somebody took it over.
 */
export interface KeyWrap extends AsyncDisposable {
  /** See `Backend.identity`: a backend with the same identity can go on with the login. */
  readonly identity: string;
  /** @throws PannierError when the backend does not answer, or refuses. */
  wrap(key: Uint8Array, signal: AbortSignal): Promise<string>;
  /** @throws PannierError when the backend does not answer, or refuses the login or the path. */
  unwrap(wrapped: string, signal: AbortSignal): Promise<Unwrapped>;
  /** Gives the login out, once. Undefined when there is none that could be used on, such as a borrowed token. */
  takeLogin(): KeptLogin | undefined;
}

/** `refused`: the backend answers that it cannot decrypt this text, and never will while its key stays as it is. */
export type Unwrapped = { readonly key: Uint8Array } | { readonly refused: Failure };
