import type { Clock } from '../../../base/clock.ts';
import { asFailure, type Failure, fail } from '../../../base/errors.ts';
import type { KeptLogin } from '../../kept-login.ts';
import { ageMs } from '../client/age.ts';
import type { VaultClient } from '../client/client.ts';
import type { AuthMethod, Login } from './method.ts';
import { isRefusal, lookUpSelf, readTokenLife } from './token-self.ts';

/** How long the server may take to say whether a login is alive, at a start that waits for it. */
export const PROOF_MS = 500;

export interface ResumeDeps {
  readonly method: AuthMethod;
  readonly client: VaultClient;
  readonly clock: Clock;
  readonly place: string;
}

/**
 * The login of an earlier process, when it can be used: lookup-self shows that it is alive. Without an answer it is
 * used until its end as that process knew it (`why`); if it is dead after all, the first request under it shows that.
 * Undefined when it is dead, when its uses are counted, and when another token is configured by now. Never throws.
 */
export async function resumeLogin(
  kept: KeptLogin,
  { method, client, clock, place }: ResumeDeps,
  stop: AbortSignal,
): Promise<{ readonly login: Login; readonly why?: Failure } | undefined> {
  const { token, accessor, ttlMs, renewable, startedMonoMs } = kept;
  const startedLookMonoMs = clock.monoMs();
  if (ttlMs !== 'forever' && startedMonoMs + ttlMs <= startedLookMonoMs) return undefined;
  const limit = new AbortController();
  const cancel = clock.after(PROOF_MS, () => limit.abort('late'));
  const signal = AbortSignal.any([stop, limit.signal]);
  try {
    if (method.uses !== undefined && !(await method.uses(token, signal))) return undefined;
    const answer = await lookUpSelf({ client, token, place }, signal);
    const life = readTokenLife(answer.body, place);
    if (life.usesLeft !== 'unlimited') return undefined;
    return { login: { token, startedMonoMs: startedLookMonoMs - ageMs(answer), ...life } };
  } catch (error) {
    const isLate = limit.signal.aborted;
    const late = `no answer within ${PROOF_MS} ms from ${client.backend} about the login of an earlier process`;
    const why = asFailure(isLate ? fail('BACKEND_TIMEOUT', place, late) : error, place);
    if (stop.aborted || isRefusal(error) || why.code.startsWith('AUTH_')) return undefined;
    return { login: { token, accessor, ttlMs, renewable, usesLeft: 'unlimited', startedMonoMs }, why };
  } finally {
    cancel();
  }
}
