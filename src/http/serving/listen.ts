import type { Server } from 'node:net';
import { errnoOf } from '../../base/errno.ts';
import { fail } from '../../base/errors.ts';

/**
 * Has a server of a command listen at the place that its option `--listen` names.
 * @param port 0: a free one.
 * @throws PannierError LISTEN_IN_USE or LISTEN_FAILED
 */
export function listenAt(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const code = errnoOf(error);
      const isTaken = code === 'EADDRINUSE';
      const seen = isTaken ? 'another process listens there' : `it cannot be listened on (${code ?? 'no reason'})`;
      reject(fail(isTaken ? 'LISTEN_IN_USE' : 'LISTEN_FAILED', `--listen ${host}:${port}`, seen));
    });
    server.listen(port, host, () => resolve());
  });
}

/** The port that a server listens on; 0: it does not listen. */
export function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
