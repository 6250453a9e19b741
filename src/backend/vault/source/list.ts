import { asFailure } from '../../../base/errors.ts';
import { isList, lookUp, type Value } from '../../../base/value.ts';
import { trimSlashes } from '../../../config/api-path.ts';
import { isNoMount, VaultStatusError } from '../client/client.ts';
import type { ListRequest } from '../config/request.ts';
import { type FetchKind, malformed, settleFetch, type VaultSourceDeps } from './answer.ts';
import { firstSegment } from './kv-path.ts';
import type { VaultMounts } from './mounts.ts';

/**
 * Lists the names below a path of a KV engine, as one field `keys`. Names of folders end with a slash.
 * https://openbao.org/api-docs/secret/kv/kv-v2/#list-secrets
 *
 * Nothing below the path is an answer of its own: an empty list. That there is no mount is a failure. When the server
 * does not tell about the mount, version 2 mounted at the first segment is assumed.
 */
export function createVaultList({ vault, nextVersion }: VaultSourceDeps, mounts: VaultMounts): FetchKind<ListRequest> {
  return async ({ want: { place }, request, last }, signal) => {
    const { isPathPrivate } = request;
    const path = trimSlashes(request.path);
    const list = async (isSecondTry: boolean): Promise<Value | undefined> => {
      const found = await mounts.find(path, { place, isPathPrivate }, signal);
      const mount = found === 'refused' ? { path: `${firstSegment(path)}/`, version: 2 } : found;
      const rest = path.slice(mount.path.length);
      const listed = mount.version === 2 ? `${mount.path}metadata/${rest}` : mount.path + rest;
      const call = { method: 'LIST', path: listed, place, idempotent: true, isPathPrivate } as const;
      try {
        const { body } = await vault.call(call, signal);
        return lookUp(body, 'data', 'keys');
      } catch (error) {
        if (asFailure(error, place).code !== 'SECRET_NOT_FOUND') throw error;
        // Nothing there may also mean that the mount is another one by now, with everything below another path.
        if (found !== 'refused' && !isSecondTry && mounts.doubt(found, error)) return await list(true);
        if (error instanceof VaultStatusError && isNoMount(error)) throw error;
        return [];
      }
    };
    const keys = await list(false);
    if (!isList(keys)) throw malformed(place, 'data.keys is not a list');
    return settleFetch({ last, fields: new Map([['keys', keys]]), life: { kind: 'none' } }, nextVersion);
  };
}
