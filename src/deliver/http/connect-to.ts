import { errnoWord } from '../../base/errno.ts';

/** Nothing listens. Any other error may come from a living process, such as one with a full backlog. */
export const DEAD: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOENT']);

/** The code of the error; empty when a process listens there. */
export function connectTo(path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = process.getBuiltinModule('node:net').connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve('');
    });
    socket.once('error', (error) => resolve(errnoWord(error)));
  });
}
