import { fail, PannierError } from '../../../../base/errors.ts';
import type { Emit } from '../../../../base/fact.ts';
import { Secret } from '../../../../base/secret.ts';
import { readCredential } from '../../../credential-file.ts';
import { type LoginDeps, logInAt } from '../log-in-at.ts';
import type { AuthMethod } from '../method.ts';
import { createSecretIdSource, type KeptSecretIds, type TakenSecretId } from '../secret-id.ts';

export interface AppRoleLogin {
  readonly mount: string;
  /** One of `roleId` and `roleIdFile` is given. */
  readonly roleId?: string;
  readonly roleIdFile?: string;
  /** Absent: the role has bind_secret_id=false, so the login has no secret id. */
  readonly secretIdFile?: string;
  /** The file holds a wrapping token, from which the secret id is unwrapped. */
  readonly secretIdWrapped: boolean;
  /** The file is removed after a login. */
  readonly removeSecretIdFile: boolean;
}

export interface AppRoleDeps extends LoginDeps {
  readonly emit: Emit;
  readonly kept: KeptSecretIds;
}

/**
 * Logs in with a role id and a secret id: POST auth/MOUNT/login {role_id, secret_id}.
 * https://openbao.org/api-docs/auth/approle/#login-with-approle
 */
export function createAppRoleMethod(
  login: AppRoleLogin,
  { client, clock, place, emit, kept }: AppRoleDeps,
): AuthMethod {
  const { mount, roleId, roleIdFile, secretIdFile, secretIdWrapped: wrapped, removeSecretIdFile: remove } = login;
  const readRoleId = (signal: AbortSignal) => {
    if (roleId !== undefined) return Secret.text(roleId);
    if (roleIdFile !== undefined) return readCredential(roleIdFile, `${place}.roleIdFile`, signal);
    throw fail('CONFIG_MISSING', place, 'neither roleId nor roleIdFile is given');
  };
  const logIn = (body: Readonly<Record<string, Secret>>, signal: AbortSignal) =>
    logInAt({ client, clock, place, mount, body }, signal);
  const secretIds =
    secretIdFile === undefined
      ? undefined
      : createSecretIdSource(
          { mount, file: secretIdFile, wrapped, remove },
          { client, place: `${place}.secretIdFile`, emit, kept },
        );
  return {
    kind: 'approle',
    // A secret id may be good for one use only, and inline auth would take one for each request.
    inline: async (signal) =>
      secretIds === undefined ? { mount, body: { role_id: await readRoleId(signal) } } : undefined,
    async login(signal) {
      const role_id = await readRoleId(signal);
      if (secretIds === undefined) return logIn({ role_id }, signal);
      const taken = await secretIds.take(signal);
      const made = await logIn({ role_id, secret_id: taken.secretId }, signal).catch((error: unknown) => {
        throw withMemoryHint(error, taken);
      });
      await secretIds.accepted(taken);
      return made;
    },
  };
}

/** Replaces the hint of a refused login whose secret id came from memory, where it may have ended meanwhile. */
function withMemoryHint(error: unknown, { fromMemory }: TakenSecretId): unknown {
  if (!fromMemory || !(error instanceof PannierError) || error.failure.code !== 'AUTH_DENIED') return error;
  const { code, place, seen } = error.failure;
  const hint = 'The secret id kept in memory may have ended or be used up: deliver a new one to secretIdFile.';
  return fail(code, place, seen, { hint });
}
