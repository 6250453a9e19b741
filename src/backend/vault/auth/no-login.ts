import type { LoginView } from '../../login-view.ts';
import type { Session } from './method.ts';
import { NO_LOGIN } from './no-token.ts';
import type { VaultSession } from './session.ts';

const VIEW: LoginView = {
  method: 'none',
  state: 'live',
  isUsable: true,
  endsMonoMs: undefined,
  nextMonoMs: undefined,
};

/**
 * The session of a backend behind another proxy that has a login (`auth: { method: none }`): nothing is renewed, looked
 * up or revoked. When the login of that proxy ends, this agent hears of it by a lease whose renewal is refused. A 403
 * means that the path is denied to that login.
 */
export function createNoLogin(): Session &
  Pick<VaultSession, 'clockJumped' | 'onDead' | 'resumed' | 'loginToKeep' | 'endsLeases'> {
  const nothing: Disposable = { [Symbol.dispose]() {} };
  return {
    start() {},
    current: async () => NO_LOGIN,
    currentNow: () => NO_LOGIN,
    suspect: async () => 'alive',
    endsMonoMs: () => Number.POSITIVE_INFINITY,
    onReplacing: () => nothing,
    onDead: () => nothing,
    names: () => false,
    settled: async () => {},
    trouble: () => undefined,
    view: () => VIEW,
    clockJumped() {},
    resumed: async () => undefined,
    loginToKeep: () => undefined,
    endsLeases: () => false,
    revoke: async () => {},
    async [Symbol.asyncDispose]() {},
  };
}
