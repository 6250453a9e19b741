import { readCredential } from '../../../credential-file.ts';
import { describeDenied, endOf, readJwt } from '../jwt-credential.ts';
import { type LoginDeps, logInAt } from '../log-in-at.ts';
import type { AuthMethod } from '../method.ts';

export interface JwtLogin {
  readonly mount: string;
  readonly role: string;
  /** Holds a JWT of an issuer that the mount trusts; each login reads the file again. */
  readonly tokenFile: string;
}

const DENIED = 'Check mount and role: its bound audiences, subject and claims, and the keys that the mount trusts.';

/**
 * Logs in with a JWT that the mount verifies by keys or OIDC discovery: POST auth/MOUNT/login {role, jwt}.
 * https://openbao.org/api-docs/auth/jwt/#jwt-login
 */
export function createJwtMethod({ mount, role, tokenFile }: JwtLogin, deps: LoginDeps): AuthMethod {
  return {
    kind: 'jwt',
    inline: async (signal) => ({
      mount,
      body: { role, jwt: await readCredential(tokenFile, `${deps.place}.tokenFile`, signal) },
    }),
    async login(signal) {
      const jwt = await readCredential(tokenFile, `${deps.place}.tokenFile`, signal);
      const { clock } = deps;
      const claims = readJwt(jwt);
      const denied = describeDenied(claims, { file: tokenFile, hint: DENIED, nowWallMs: clock.wallMs() });
      const ends = endOf(claims, clock);
      return { ...(await logInAt({ ...deps, mount, body: { role, jwt }, denied }, signal)), ...ends };
    },
  };
}
