import type { Clock } from '../../../base/clock.ts';
import { asFailure, failure } from '../../../base/errors.ts';
import type { Emit } from '../../../base/fact.ts';
import { revokeSelf, type TokenSelf } from './token-self.ts';

/** The longest time that a revocation may delay the end of the process. */
export const REVOKE_LIMIT_MS = 2_000;

/**
 * Revokes a token within `REVOKE_LIMIT_MS`, reports the result as a fact, and returns whether the token is revoked.
 * Never throws: the process is exiting.
 */
export async function revokeLogin(
  { clock, emit, ...self }: TokenSelf & { readonly clock: Clock; readonly emit: Emit },
  signal: AbortSignal,
): Promise<boolean> {
  const { backend } = self.client;
  const limit = new AbortController();
  const stop = () => limit.abort();
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  const cancel = clock.after(REVOKE_LIMIT_MS, stop);
  try {
    await revokeSelf(self, limit.signal);
    emit({ kind: 'login-revoked', backend });
    return true;
  } catch (error) {
    const seen = 'the login was not revoked in time, so it lives until its end';
    const late = failure('BACKEND_TIMEOUT', self.place, seen, { hint: 'Revoke it at the server if that is too long.' });
    emit({ kind: 'login-revoked', backend, failure: limit.signal.aborted ? late : asFailure(error, self.place) });
    return false;
  } finally {
    cancel();
    signal.removeEventListener('abort', stop);
  }
}
