import type { Server } from 'node:net';
import { errnoWord } from '../../base/errno.ts';
import { fail, type PannierError } from '../../base/errors.ts';

/** A port (0: a free one), or the path of a unix socket. */
export type ListenAt = { readonly host: string; readonly port: number } | { readonly path: string };

/**
 * Has a server listen.
 * @param place what names it: a path of the configuration, or an option such as `--listen`.
 * @param shown what messages call it.
 * @throws PannierError LISTEN_IN_USE or LISTEN_FAILED
 */
export function listenAt(server: Server, at: ListenAt, place: string, shown: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // A later error is of one connection that could not be accepted, and does not end the process.
    server.on('error', (error) => reject(listenError(error, place, shown)));
    server.listen(at, () => resolve());
  });
}

/** What an error of listening means, or one of making the socket that is listened on. */
export function listenError(error: unknown, place: string, shown: string): PannierError {
  const code = errnoWord(error);
  switch (code) {
    case 'EADDRINUSE':
    case 'EEXIST': // it is made again when it is removed
      return fail('LISTEN_IN_USE', place, `another process listens on ${shown}`);
    case 'ENOENT':
      return fail('LISTEN_FAILED', place, `the directory of ${shown} does not exist`, { hint: 'Make it.' });
    default:
      return fail('LISTEN_FAILED', place, `${shown} cannot be listened on (${code})`);
  }
}

/** The port that a server listens on; 0: it does not listen. */
export function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
