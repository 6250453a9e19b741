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
 * Secret ids whose file is gone or used up, by server, mount and file. They live as long as the agent, so that a
 * backend whose configuration changes logs in again; a restart forgets them.
 */
export type KeptSecretIds = Map<string, KeptSecretId>;

interface KeptSecretId {
  /** What stood in the file. */
  readonly credential: Secret;
  readonly secretId: Secret;
}

export interface SecretIdFile {
  readonly mount: string;
  readonly file: string;
  /** The file holds a wrapping token. */
  readonly wrapped: boolean;
  /** Removes the file once a login was made with it. */
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
  /** It stands in no file any more. */
  readonly fromMemory: boolean;
}

/** Where an AppRole's secret id comes from, login after login. */
export interface SecretIdSource {
  /** @throws PannierError as `readCredential` and `createUnwrap` do. */
  take(signal: AbortSignal): Promise<TakenSecretId>;
  /** To be called when a login was made with it. Never throws: what cannot be removed is a warning. */
  accepted(taken: TakenSecretId): Promise<void>;
}

/**
 * The file decides as long as there is something new in it: whoever delivers another secret id is followed at the next
 * login. What cannot be read twice (a wrapping token, a file that is removed) is kept in memory for the logins after.
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
    // Gone already, or a new one was delivered meanwhile.
    if (now === undefined || !now.equals(credential)) return;
    try {
      // Removing a link would leave what it points to.
      await using folder = await holdFolder(dirname(resolve(file)));
      const at = join(folder.at, basename(file));
      if ((await lstat(at)).isSymbolicLink()) throw new Left('is a symbolic link, which is not removed');
      await unlink(at);
    } catch (error) {
      const why = error instanceof Left ? error.message : `cannot be removed (${errnoWord(error)})`;
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

class Left extends Error {}

function isAboutFile(error: unknown): error is PannierError {
  return error instanceof PannierError && error.failure.code.startsWith('AUTH_CREDENTIAL_');
}

/** After a restart the file is missing because we removed it. */
function withRemovalHint(error: unknown): unknown {
  if (!isAboutFile(error)) return error;
  const { code, place, seen } = error.failure;
  const hint =
    'removeSecretIdFile removes it after a login, and a restart forgets it: deliver a new one for each start.';
  return fail(code, place, seen, { hint });
}
