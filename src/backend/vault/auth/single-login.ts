import type { Clock } from '../../../base/clock.ts';
import type { VaultClient } from '../client/client.ts';
import { type Authorized, createAuthorized } from './authorized.ts';
import type { Login, RequestLogin } from './method.ts';
import { NO_LOGIN } from './no-token.ts';

/**
 * Calls under one login, which is neither renewed nor replaced: for commands that ask a few questions and end.
 * @param login undefined: another proxy on the way adds its token.
 */
export function underLogin(client: VaultClient, login: Login | undefined, clock: Clock): Authorized {
  const live: RequestLogin = login === undefined ? NO_LOGIN : { ...login, id: 1, endsMonoMs: Number.POSITIVE_INFINITY };
  return createAuthorized(client, { current: async () => live, suspect: async () => 'alive' }, clock);
}
