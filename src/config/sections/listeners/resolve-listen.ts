import { resolve } from 'node:path';
import type { ListenConfig } from '../../config.ts';
import { parseHostPort } from '../../host-port.ts';
import type { SourceFile } from '../../load/source-file.ts';

/** The keys of a unix socket, the same in every section with listeners. */
export interface SocketShape {
  readonly socket: string;
  readonly mode?: string | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

/** Only the agent's user may connect, unless `mode` says otherwise. */
const SOCKET_MODE = 0o600;

/** Where a listener with these keys listens. A relative path starts at the directory of the file. */
export function resolveSocket({ socket, mode, uid, gid }: SocketShape, { dir }: Pick<SourceFile, 'dir'>): ListenConfig {
  return {
    kind: 'unix',
    path: resolve(dir, socket),
    mode: mode === undefined ? SOCKET_MODE : Number.parseInt(mode, 8),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  };
}

/** Where a listener on `HOST:PORT` listens. @param listen a text that the scalar `hostPort` has accepted. */
export function resolveHostPort(listen: string): ListenConfig {
  const parsed = parseHostPort(listen);
  if (parsed === undefined) throw new TypeError('not HOST:PORT');
  return { kind: 'tcp', ...parsed };
}
