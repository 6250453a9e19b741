import type { Clock } from '../../../../base/clock.ts';
import { fail } from '../../../../base/errors.ts';
import type { Secret } from '../../../../base/secret.ts';
import { readCredential } from '../../../credential-file.ts';
import { ageMs } from '../../client/age.ts';
import { type VaultClient, VaultStatusError } from '../../client/client.ts';
import type { AuthMethod } from '../method.ts';
import { asVaultLoginError, lookUpSelf, readTokenLife } from '../token-self.ts';

export interface TokenLogin {
  /** One of `token` and `tokenFile` is given. The file is read at each login, so a later token in it is used. */
  readonly token?: Secret;
  readonly tokenFile?: string;
}

/**
 * Uses a token that another program made. The login makes nothing: GET auth/token/lookup-self gives the token's life.
 * https://openbao.org/api-docs/auth/token/#lookup-a-token-self
 */
export function createTokenMethod(
  { token, tokenFile }: TokenLogin,
  { client, clock, place }: { readonly client: VaultClient; readonly clock: Clock; readonly place: string },
): AuthMethod {
  const readToken = (signal: AbortSignal) => {
    if (token !== undefined) return token;
    if (tokenFile !== undefined) return readCredential(tokenFile, `${place}.tokenFile`, signal);
    throw fail('CONFIG_MISSING', place, 'neither token nor tokenFile is given');
  };
  return {
    kind: 'token',
    borrowsToken: true,
    uses: async (token, signal) => (await readToken(signal)).equals(token),
    async login(signal) {
      const borrowed = await readToken(signal);
      const startedMonoMs = clock.monoMs();
      try {
        const answer = await lookUpSelf({ client, token: borrowed, place }, signal);
        return { token: borrowed, startedMonoMs: startedMonoMs - ageMs(answer), ...readTokenLife(answer.body, place) };
      } catch (error) {
        if (error instanceof VaultStatusError && error.status === 403) {
          const hint = 'The token is revoked or ended, or its policy lacks auth/token/lookup-self (default allows it).';
          throw fail('AUTH_DENIED', place, error.failure.seen, { hint });
        }
        throw asVaultLoginError(error, place);
      }
    },
  };
}
