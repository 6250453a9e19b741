import { type LoginDeps, logInAt } from '../log-in-at.ts';
import type { AuthMethod } from '../method.ts';

export interface CertLogin {
  readonly mount: string;
  /** Absent: the server takes the first role that the certificate matches. */
  readonly role?: string;
}

/**
 * Logs in with the client certificate of the connection, the backend's `tls.certFile`: POST auth/MOUNT/login {name?}.
 *
 * A connection that was made with an older key pair would log in as the older identity, so the files are looked at
 * first. The server ties the token to the key of its login: after a rotation it refuses the renewal, and the session
 * logs in again.
 * https://openbao.org/api-docs/auth/cert/#login-with-tls-certificate-method
 */
export function createCertMethod({ mount, role }: CertLogin, deps: LoginDeps): AuthMethod {
  const body = role === undefined ? {} : { name: role };
  return {
    kind: 'cert',
    inline: async () => ({ mount, body }),
    login: (signal) => logInAt({ ...deps, mount, body, freshTls: true }, signal),
  };
}
