import { errnoOf } from '../../../base/errno.ts';
import { fail } from '../../../base/errors.ts';
import { isHeaderToken } from '../../../base/header-text.ts';
import { readFileInTime } from '../../../base/read-file.ts';
import type { Secret } from '../../../base/secret.ts';
import { readCredential } from '../../credential-file.ts';
import type { ClusterAccess } from '../config/config.ts';
import type { Access } from './access.ts';

const MAX_NAMESPACE_BYTES = 1024;

/**
 * The access of a pod: a token and a CA certificate in files. The kubelet replaces the token long before it ends, and a
 * read of it costs a tenth of a millisecond, so each request reads it.
 */
export function createClusterAccess(config: ClusterAccess, ownNamespace: string | undefined): Access {
  const { address, tokenFile, caFile, serverName, namespaceFile } = config;
  const tls = {
    ...(caFile === undefined ? {} : { caFile }),
    ...(serverName === undefined ? {} : { serverName }),
    skipVerify: false,
  };
  return {
    where: address,
    identity: [address, tokenFile],
    async connection(place, signal) {
      const token = await readToken(tokenFile, `${place}.tokenFile`, signal);
      const namespace = ownNamespace ?? (await readNamespace(namespaceFile, signal)) ?? 'default';
      return { address, tls, token, namespace, credential: tokenFile };
    },
    refused: () => {},
  };
}

/** @throws PannierError as `readCredential` does, and AUTH_CREDENTIAL_UNREADABLE for what no header can carry. */
export async function readToken(file: string, place: string, signal: AbortSignal): Promise<Secret> {
  const token = await readCredential(file, place, signal);
  if (isHeaderToken(token.exposeText('backend'))) return token;
  throw fail(
    'AUTH_CREDENTIAL_UNREADABLE',
    place,
    `${file} holds a line break, a space or another character of no token`,
  );
}

/** Undefined when there is no such file, as outside of a pod. */
async function readNamespace(file: string | undefined, signal: AbortSignal): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    const { bytes } = await readFileInTime(file, { maxBytes: MAX_NAMESPACE_BYTES, signal });
    const text = bytes.toString('latin1').trim();
    return /^[a-z0-9-]{1,63}$/.test(text) ? text : undefined;
  } catch (error) {
    if (signal.aborted || errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
