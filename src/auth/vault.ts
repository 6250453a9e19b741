import type { Clock } from '../base/clock.ts';
import type { VaultClient } from '../client/vault-client.ts';
import type { VaultBackendConfig } from '../config/config.ts';
import type { AuthMethod } from './method.ts';
import { createAppRoleMethod } from './vault-approle.ts';
import { createCertMethod } from './vault-cert.ts';
import { createJwtMethod } from './vault-jwt.ts';
import { createKubernetesMethod } from './vault-kubernetes.ts';
import { createPasswordMethod } from './vault-password.ts';
import { createTokenMethod } from './vault-token.ts';

/** The configured way to log in to a Vault or OpenBao server. */
export function createVaultMethod(
  { name, auth }: Pick<VaultBackendConfig, 'name' | 'auth'>,
  { client, clock }: { readonly client: VaultClient; readonly clock: Clock },
): AuthMethod {
  const tools = { client, clock, place: `backends.${name}.auth` };
  switch (auth.method) {
    case 'kubernetes':
      return createKubernetesMethod(auth, tools);
    case 'jwt':
      return createJwtMethod(auth, tools);
    case 'cert':
      return createCertMethod(auth, tools);
    case 'userpass':
    case 'ldap':
      return createPasswordMethod(auth, tools);
    case 'token':
      return createTokenMethod(auth, tools);
    case 'approle':
      return createAppRoleMethod(auth, tools);
  }
}
