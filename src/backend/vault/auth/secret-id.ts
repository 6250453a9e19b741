import { lstat, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { errnoWord } from '../../../base/errno.ts';
import { fail, failure, PannierError } from '../../../base/errors.ts';
import type { Emit } from '../../../base/fact.ts';
import { holdFolder } from '../../../base/held-folder.ts';
import type { Secret } from '../../../base/secret.ts';
import { readCredential } from '../../credential-file.ts';
import type { VaultClient } from '../client/client.ts';
import { createUnwrap } from './unwrap-secret-id.ts';

/**
 * Secret ids whose file was removed or whose wrapping token is used up, by server, mount and file. They stay in memory
 * as long as the agent runs, so that a backend can log in again after its configuration changed. A restart loses them.
 */
export type KeptSecretIds = Map<string, KeptSecretId>;

interface KeptSecretId {
  /** The content of the file: the secret id itself, or the wrapping token. */
  readonly credential: Secret;
  readonly secretId: Secret;
}

export interface SecretIdFile {
  readonly mount: string;
  readonly file: string;
  /** The file holds a wrapping token. */
  readonly wrapped: boolean;
  /** The file is removed after a login was made with its content. */
  readonly remove: boolean;
}

export interface SecretIdDeps {
  readonly client: VaultClient;
  /** Configuration path of the key that names the file. */
  readonly place: string;
  readonly emit: Emit;
  readonly kept: KeptSecretIds;
}

/** A secret id for one login. */
export interface TakenSecretId extends KeptSecretId {
  /** The secret id was not read from the file for this login. */
  readonly fromMemory: boolean;
}

/** Gives the secret id of an AppRole for each login. */
export interface SecretIdSource {
  /** @throws PannierError as `readCredential` and `createUnwrap` do. */
  take(signal: AbortSignal): Promise<TakenSecretId>;
  /** To be called after a successful login. Never throws: a file that cannot be removed leads to a warning. */
  accepted(taken: TakenSecretId): Promise<void>;
}

/**
 * Reads the file at each login, so another secret id that was delivered is used at the next one. A secret id that
 * cannot be read a second time (from a wrapping token, or from a file that is removed) is kept in memory for later
 * logins.
 */
export function createSecretIdSource(
  { mount, file, wrapped, remove }: SecretIdFile,
  { client, place, emit, kept }: SecretIdDeps,
): SecretIdSource {
  const key = JSON.stringify([client.address, client.namespace ?? '', mount, file]);
  const unwrap = createUnwrap({ client, place, file, mount });
  let hasWarned = false;

  const take = async (signal: AbortSignal): Promise<TakenSecretId> => {
    const known = wrapped || remove ? kept.get(key) : undefined;
    let credential: Secret;
    try {
      credential = await readCredential(file, place, signal);
    } catch (error) {
      if (known !== undefined && isAboutFile(error)) return { ...known, fromMemory: true };
      throw remove ? withRemovalHint(error) : error;
    }
    if (!wrapped) return { credential, secretId: credential, fromMemory: false };
    if (known?.credential.equals(credential)) return { ...known, fromMemory: true };
    const secretId = await unwrap(credential, signal);
    kept.set(key, { credential, secretId });
    return { credential, secretId, fromMemory: false };
  };

  const removeFile = async (credential: Secret) => {
    const now = await readCredential(file, place, new AbortController().signal).catch(() => undefined);
    // The file is removed already, or holds a new secret id by now.
    if (now === undefined || !now.equals(credential)) return;
    try {
      // Removing a symlink would leave the file that it points to.
      await using folder = await holdFolder(dirname(resolve(file)));
      const at = join(folder.at, basename(file));
      if ((await lstat(at)).isSymbolicLink()) throw new NotRemovable('is a symbolic link, which is not removed');
      await unlink(at);
    } catch (error) {
      const why = error instanceof NotRemovable ? error.message : `cannot be removed (${errnoWord(error)})`;
      if (!hasWarned)
        emit({ kind: 'agent-warning', warning: failure('AUTH_CREDENTIAL_LEFT', place, `${file} ${why}`) });
      hasWarned = true;
    }
  };

  return {
    take,
    async accepted({ credential, secretId }) {
      if (!remove) return;
      kept.set(key, { credential, secretId });
      await removeFile(credential);
    },
  };
}

class NotRemovable extends Error {}

function isAboutFile(error: unknown): error is PannierError {
  return error instanceof PannierError && error.failure.code.startsWith('AUTH_CREDENTIAL_');
}

/** Adds a hint for a missing file: after a restart it is missing because the agent removed it. */
function withRemovalHint(error: unknown): unknown {
  if (!isAboutFile(error)) return error;
  const { code, place, seen } = error.failure;
  const hint =
    'removeSecretIdFile removes the file after a login, and a restart loses the secret id: deliver one for each start.';
  return fail(code, place, seen, { hint });
}
