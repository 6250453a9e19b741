import type { Clock } from '../base/clock.ts';
import type { VaultClient } from '../client/vault-client.ts';
import type { Login } from './method.ts';
import { asLoginError, readAuthBlock } from './token-self.ts';

export interface LoginCall {
  readonly client: VaultClient;
  readonly clock: Clock;
  /** Configuration path of the login, for errors. */
  readonly place: string;
  /** Below `auth/`, with or without slashes around it. */
  readonly mount: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * POST auth/MOUNT/login, shared by the methods that log in that way. It makes a token, so it is not sent again by
 * itself, and its life counts from before the request.
 *
 * @throws PannierError AUTH_DENIED, AUTH_UNUSABLE, or what the client throws when no answer comes.
 */
export async function logInAt({ client, clock, place, mount, body }: LoginCall, signal: AbortSignal): Promise<Login> {
  const startedMonoMs = clock.monoMs();
  const path = `auth/${mount.replace(/^\/+|\/+$/g, '')}/login`;
  try {
    const answer = await client.call({ method: 'POST', path, body, place, idempotent: false }, signal);
    return readAuthBlock(answer.body, startedMonoMs, place);
  } catch (error) {
    throw asLoginError(error, place);
  }
}
