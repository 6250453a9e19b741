import type { Clock } from '../../../base/clock.ts';
import type { VaultClient } from '../client/client.ts';
import { type Authorized, createAuthorized } from './authorized.ts';
import type { LiveLogin, Login } from './method.ts';

/** Calls under one login, which is neither renewed nor replaced: for commands that ask a few questions and end. */
export function underLogin(client: VaultClient, login: Login, clock: Clock): Authorized {
  const live: LiveLogin = { ...login, id: 1, endsMonoMs: Number.POSITIVE_INFINITY };
  return createAuthorized(client, { current: async () => live, suspect: async () => 'alive' }, clock);
}
