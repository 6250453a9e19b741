import { codeTable } from '../base/codes.ts';
import type { Failure } from '../base/errors.ts';

/** The exit status of failures that say: the backend does not answer now. */
const BACKEND_DOWN = 3;

/**
 * Whether a failure tells nothing of the secret, as the backend gave no proper answer: it is down, sealed, overloaded,
 * or something before it answered. That a login or a path is refused, or that nothing is stored, is an answer.
 */
export function isOutage({ code }: Failure): boolean {
  return codeTable()[code].exit === BACKEND_DOWN || code === 'BACKEND_MALFORMED' || code === 'BACKEND_REDIRECT';
}
