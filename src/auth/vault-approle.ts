import type { Clock } from '../base/clock.ts';
import { fail } from '../base/errors.ts';
import { Secret } from '../base/secret.ts';
import type { VaultClient } from '../client/vault-client.ts';
import { readCredential } from './credential-file.ts';
import { logInAt } from './log-in-at.ts';
import type { AuthMethod } from './method.ts';

export interface AppRoleLogin {
  readonly mount: string;
  /** One of the two is given. */
  readonly roleId?: string;
  readonly roleIdFile?: string;
  /** Absent: the role has bind_secret_id=false. The file is read at each login and never removed. */
  readonly secretIdFile?: string;
}

/**
 * Logs in with a role id and a plain secret id: POST auth/MOUNT/login {role_id, secret_id}.
 * https://openbao.org/api-docs/auth/approle/#login-with-approle
 */
export function createAppRoleMethod(
  { mount, roleId, roleIdFile, secretIdFile }: AppRoleLogin,
  { client, clock, place }: { readonly client: VaultClient; readonly clock: Clock; readonly place: string },
): AuthMethod {
  const readRoleId = (signal: AbortSignal) => {
    if (roleId !== undefined) return Secret.text(roleId);
    if (roleIdFile !== undefined) return readCredential(roleIdFile, `${place}.roleIdFile`, signal);
    throw fail('CONFIG_MISSING', place, 'neither roleId nor roleIdFile is given');
  };
  return {
    kind: 'approle',
    async login(signal) {
      const role_id = await readRoleId(signal);
      if (secretIdFile === undefined) return logInAt({ client, clock, place, mount, body: { role_id } }, signal);
      const secret_id = await readCredential(secretIdFile, `${place}.secretIdFile`, signal);
      const body = { role_id, secret_id };
      return logInAt({ client, clock, place, mount, body }, signal);
    },
  };
}
