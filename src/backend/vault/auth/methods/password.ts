import { readCredential } from '../../../credential-file.ts';
import { type LoginDeps, logInAt } from '../log-in-at.ts';
import type { AuthMethod } from '../method.ts';

export interface PasswordLogin {
  readonly method: 'userpass' | 'ldap';
  readonly mount: string;
  readonly username: string;
  /** Each login reads the file again. */
  readonly passwordFile: string;
}

/**
 * Logs in with a user name and a password, which `userpass` and `ldap` take in the same way:
 * POST auth/MOUNT/login/USERNAME {password}.
 * https://openbao.org/api-docs/auth/userpass/#login,
 * https://developer.hashicorp.com/vault/api-docs/auth/ldap#login-with-ldap-user
 */
export function createPasswordMethod(
  { method, mount, username, passwordFile }: PasswordLogin,
  deps: LoginDeps,
): AuthMethod {
  return {
    kind: method,
    inline: async (signal) => ({
      mount,
      username,
      body: { password: await readCredential(passwordFile, `${deps.place}.passwordFile`, signal) },
    }),
    async login(signal) {
      const password = await readCredential(passwordFile, `${deps.place}.passwordFile`, signal);
      return logInAt({ ...deps, mount, username, body: { password } }, signal);
    },
  };
}
