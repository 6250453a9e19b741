import { trimSlashes } from '../../../config/api-path.ts';
import type { KvRequest } from '../config/request.ts';

/** One way to read a KV secret: `rest` below `mount` (with its slash), from an engine of that version. */
export interface KvForm {
  readonly version: 1 | 2;
  readonly mount: string;
  readonly rest: string;
}

/**
 * The whole path that a request means, as it is written, and the mount that is assumed when the server reports none:
 * the configured one, or else the first segment of the path.
 */
export function kvPathOf({ path, mount }: Pick<KvRequest, 'path' | 'mount'>): { path: string; guessed: string } {
  const written = trimSlashes(path);
  if (mount === undefined) return { path: written, guessed: `${firstSegment(written)}/` };
  const guessed = `${trimSlashes(mount)}/`;
  return { path: `${written}/`.startsWith(guessed) ? written : guessed + written, guessed };
}

/**
 * The form of a whole path in a mount of that version. A path of version 2 may be the one of the API, with `data/`, but
 * not behind the mount that the configuration names: there `data/` belongs to the name of the secret.
 */
export function kvFormOf(path: string, mount: string, version: 1 | 2, configured?: string): KvForm {
  const rest = path.slice(mount.length);
  const mayBeApi = version === 2 && (configured === undefined || `${trimSlashes(configured)}/` !== mount);
  return { version, mount, rest: mayBeApi && rest.startsWith('data/') ? rest.slice(5) : rest };
}

/** `secret/data/NAME`, but not `secret/data/data/NAME`: a path of `kv` whose `data/` may have been meant as a name. */
export const DATA_BEHIND_MOUNT = /^[^/]+\/data\/(?!data\/)./;

/** The path of the API that reads a secret in this form. */
export function kvApiPath({ version, mount, rest }: KvForm): string {
  return version === 2 ? `${mount}data/${rest}` : mount + rest;
}

/** `secret/data/shop/app`. These mounts of every server are no KV engines. */
const API_PATH = /^(?!(?:auth|cubbyhole|identity|sys)\/)([^/]+(?:\/[^/]+)*?)\/data\/(.+)$/;

/** The path for `kv` behind a path that looks like one of the API for version 2; undefined: it does not. */
export function kvPathBehind(apiPath: string): string | undefined {
  const [, mount, rest] = API_PATH.exec(apiPath) ?? [];
  return mount === undefined ? undefined : `${mount}/${rest}`;
}

export function firstSegment(path: string): string {
  return path.split('/', 1)[0] ?? '';
}
