import type { Clock } from '../../../base/clock.ts';
import { PannierError } from '../../../base/errors.ts';
import { ageMs } from '../client/age.ts';
import { type VaultAnswer, type VaultCall, type VaultClient, VaultStatusError } from '../client/client.ts';
import type { LiveLogin, Session } from './method.ts';

/** An answer with what its leases hang on. */
export interface AuthorizedAnswer extends VaultAnswer {
  /** The login that made the call: a lease in the answer ends with it. */
  readonly loginId: number;
  /**
   * From when on a life in the answer counts: when the request was handed to the client, or earlier by the age of an
   * answer that comes from a cache on the way.
   */
  readonly startedMonoMs: number;
}

/** A client that calls under the session's login. */
export interface Authorized {
  /**
   * Waits for a login while there is none. A 403 is taken to the session: when the login was dead the call is made once
   * more under the next, else the path is denied and the refusal is thrown as it is.
   * @throws what the client and `Session.current` throw.
   */
  call(call: Omit<VaultCall, 'token'>, signal: AbortSignal): Promise<AuthorizedAnswer>;
}

export function createAuthorized(client: VaultClient, session: Session, clock: Clock): Authorized {
  const callUnder = async (login: LiveLogin, call: Omit<VaultCall, 'token'>, signal: AbortSignal) => {
    const startedMonoMs = clock.monoMs();
    const answer = await client.call({ ...call, token: login.token }, signal);
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

/** The refused request did nothing, so making it again under another login mints nothing twice. */
function mayMeanDeadLogin(error: unknown): boolean {
  return (error instanceof VaultStatusError && error.status === 403) || saysInvalid(error);
}

/** "invalid token" and the like: not the path but the token is at fault. */
function saysInvalid(error: unknown): boolean {
  return error instanceof PannierError && error.failure.retry === 'login';
}
