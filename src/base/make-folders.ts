import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from './errno.ts';

/**
 * Makes a folder and those above it. It is used in place of `mkdir` with `recursive`, which never ends where the kernel
 * answers ENOENT although the folder above is there: in /proc.
 * @throws the error of the system; ENOTDIR when something else has the name.
 */
export async function makeFolders(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const above = dirname(path);
    if (errnoOf(error) === 'ENOENT' && above !== path) {
      await makeFolders(above);
      await mkdir(path).catch((second) => refuseUnlessThere(path, second));
    } else await refuseUnlessThere(path, error);
  }
}

/** Another process may have made the folder meanwhile. */
async function refuseUnlessThere(path: string, error: unknown): Promise<void> {
  if (errnoOf(error) !== 'EEXIST') throw error;
  if (!(await stat(path)).isDirectory()) throw Object.assign(new Error('no folder'), { code: 'ENOTDIR' });
}
