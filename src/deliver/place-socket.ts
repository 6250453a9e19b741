import { link, rename, unlink } from 'node:fs/promises';
import { errnoWord } from '../base/errno.ts';

/**
 * What a look at a socket's path finds: nothing, what a dead process left, or what may not be replaced, as the caller
 * describes it.
 */
export type Found<T> = 'nothing' | 'dead' | T;

/**
 * Puts a listening socket at `path`, where it replaces only what is dead.
 *
 * The socket listens before it has the name, so what refuses a connection at the path is dead, and not about to listen.
 * `link` fails where anything is, so that of two processes that come at once one is refused. What is dead is replaced
 * by the one process that has its socket linked at `<path>_lock` meanwhile, and that looks once more when it has:
 * without the lock, a process that was held up after its look would remove the living socket of a faster one. The lock
 * is the same socket as the one that is placed. So it lives and dies with its process, and that of a process which was
 * killed in between is taken over in the same way.
 * @param staged where the socket listens, in the same file system. The caller removes that name.
 * @param look tells what is at a path. It must not call a living socket dead, however busy its process is.
 * @returns what was found when it may not be replaced, at the path or at the lock of another process that replaces it.
 * @throws errors of system calls, untranslated; EEXIST when what is at the path comes and goes.
 */
export async function placeSocket<T>(
  staged: string,
  path: string,
  look: (path: string) => Promise<Found<T>>,
): Promise<'placed' | T> {
  for (let attempt = 1; ; attempt++) {
    try {
      await link(staged, path);
      return 'placed';
    } catch (error) {
      if (errnoWord(error) !== 'EEXIST' || attempt === ATTEMPTS) throw error;
    }
    const found = await look(path);
    if (found === 'nothing') continue;
    if (found !== 'dead') return found;
    const lock = `${path}_lock`;
    const locked = await placeSocket(staged, lock, look);
    if (locked !== 'placed') return locked;
    let isGiven = false;
    try {
      const still = await look(path);
      if (still === 'dead') {
        await rename(lock, path);
        isGiven = true; // in the same moment
        return 'placed';
      }
      if (still !== 'nothing') return still;
    } finally {
      if (!isGiven) await unlink(lock).catch(() => {});
    }
  }
}

/** Locks come and go where many processes come at once; each of them looks at the path meanwhile. */
const ATTEMPTS = 100;
