import { resolve } from 'node:path';
import type { ListenConfig } from '../../config.ts';
import { parseHostPort } from '../../host-port.ts';
import type { SourceFile } from '../../load/source-file.ts';

/** The keys of a unix socket in every section that listens. */
export interface SocketShape {
  readonly socket: string;
  readonly mode?: string | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

/** Private unless told otherwise. */
const SOCKET_MODE = 0o600;

export function resolveSocket({ socket, mode, uid, gid }: SocketShape, { dir }: Pick<SourceFile, 'dir'>): ListenConfig {
  return {
    kind: 'unix',
    path: resolve(dir, socket),
    mode: mode === undefined ? SOCKET_MODE : Number.parseInt(mode, 8),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  };
}

/** @param listen as the `hostPort` scalar takes it. */
export function resolveHostPort(listen: string): ListenConfig {
  const parsed = parseHostPort(listen);
  if (parsed === undefined) throw new TypeError('not HOST:PORT');
  return { kind: 'tcp', ...parsed };
}
