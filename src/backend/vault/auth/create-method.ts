import type { Clock } from '../../../base/clock.ts';
import type { Emit } from '../../../base/fact.ts';
import type { Environment } from '../../../config/environment.ts';
import type { VaultClient } from '../client/client.ts';
import type { LoginConfig } from '../config/config.ts';
import type { AuthMethod } from './method.ts';
import { createCertMethod } from './methods/cert.ts';
import { createJwtMethod } from './methods/jwt.ts';
import { createKubernetesMethod } from './methods/kubernetes.ts';
import { createPasswordMethod } from './methods/password.ts';
import { createTokenMethod } from './methods/token.ts';
import type { KeptSecretIds } from './secret-id.ts';

export interface AuthMethodDeps {
  readonly client: VaultClient;
  readonly clock: Clock;
  readonly emit: Emit;
  /** For proxies on the way to STS. */
  readonly env: Environment;
  readonly kept: KeptSecretIds;
}

/** The configured way to log in to a Vault or OpenBao server. */
export function createVaultMethod(
  { name, auth }: { readonly name: string; readonly auth: LoginConfig },
  { client, clock, emit, env, kept }: AuthMethodDeps,
): AuthMethod {
  const deps = { client, clock, place: `backends.${name}.auth` };
  switch (auth.method) {
    case 'kubernetes':
      return createKubernetesMethod(auth, deps);
    case 'jwt':
      return createJwtMethod(auth, deps);
    case 'aws':
      return loadedLater('aws', async () =>
        (await import('./methods/aws.ts')).createAwsMethod(auth, { ...deps, emit, env }),
      );
    case 'cert':
      return createCertMethod(auth, deps);
    case 'userpass':
    case 'ldap':
      return createPasswordMethod(auth, deps);
    case 'token':
      return createTokenMethod(auth, deps);
    case 'approle':
      return loadedLater('approle', async () =>
        (await import('./methods/approle.ts')).createAppRoleMethod(auth, { ...deps, emit, kept }),
      );
  }
}

/** A method whose code is loaded at the first login. */
function loadedLater(kind: string, load: () => Promise<AuthMethod>): AuthMethod {
  let method: AuthMethod | undefined;
  return {
    kind,
    trouble: () => method?.trouble?.(),
    async login(signal) {
      method ??= await load();
      return method.login(signal);
    },
    async inline(signal) {
      method ??= await load();
      return method.inline?.(signal);
    },
  };
}
