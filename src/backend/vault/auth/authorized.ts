import type { Clock } from '../../../base/clock.ts';
import { PannierError } from '../../../base/errors.ts';
import { ageMs } from '../client/age.ts';
import { type VaultAnswer, type VaultCall, type VaultClient, VaultStatusError } from '../client/client.ts';
import type { RequestLogin, Session } from './method.ts';

/** An answer, and what is needed to judge the lives and leases in it. */
export interface AuthorizedAnswer extends VaultAnswer {
  /** The login that made the call; a lease in the answer ends with it. */
  readonly loginId: number;
  /**
   * When a life in the answer began: when the request was handed to the client, or earlier by the age of the answer
   * when a cache on the way gave it.
   */
  readonly startedMonoMs: number;
}

/** A client that calls under the session's login. */
export interface Authorized {
  /**
   * Waits for a login while there is none. After a 403 the session finds out whether the login is dead: then the call
   * is made once more under the next login; otherwise the path is denied, and the refusal is thrown.
   * @throws what the client and `Session.current` throw.
   */
  call(call: Omit<VaultCall, 'token'>, signal: AbortSignal): Promise<AuthorizedAnswer>;
}

export function createAuthorized(
  client: VaultClient,
  session: Pick<Session, 'current' | 'suspect'>,
  clock: Clock,
): Authorized {
  const callUnder = async (login: RequestLogin, call: Omit<VaultCall, 'token'>, signal: AbortSignal) => {
    const startedMonoMs = clock.monoMs();
    const answer = await client.call(login.token === undefined ? call : { ...call, token: login.token }, signal);
    return { ...answer, loginId: login.id, startedMonoMs: startedMonoMs - ageMs(answer) };
  };
  return {
    async call(call, signal) {
      const login = await session.current(signal);
      try {
        return await callUnder(login, call, signal);
      } catch (error) {
        if (!mayMeanDeadLogin(error)) throw error;
        if ((await session.suspect(login.id, saysInvalid(error) ? 'invalid' : undefined)) === 'alive') throw error;
        return await callUnder(await session.current(signal), call, signal);
      }
    },
  };
}

/** A request that was refused with 403 did nothing, so repeating it under another login makes nothing twice. */
function mayMeanDeadLogin(error: unknown): boolean {
  return (error instanceof VaultStatusError && error.status === 403) || saysInvalid(error);
}

/** Whether the server calls the token itself invalid ("invalid token"), rather than denying the path. */
function saysInvalid(error: unknown): boolean {
  return error instanceof PannierError && error.failure.retry === 'login';
}
