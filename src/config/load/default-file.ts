import { resolve } from 'node:path';
import { errnoWord } from '../../base/errno.ts';
import { statInTime } from '../../base/read-file.ts';
import type { Problems } from '../problems/problems.ts';

/** The file that is the configuration when none is named. */
export const DEFAULT_FILE = 'pannier.yaml';

const OTHERS_MAY_WRITE = 0o002;

/**
 * Whether `cwd` has the default file. `foreign`: it has one that another user chose, as may be in a shared folder; a
 * configuration names commands to run and files to read, so it is used only when it is named.
 */
export async function lookForDefaultFile(cwd: string): Promise<'absent' | 'foreign' | 'own'> {
  try {
    const { uid, mode } = await statInTime(resolve(cwd, DEFAULT_FILE));
    const isOwn = uid === 0 || uid === process.geteuid?.();
    return isOwn && (mode & OTHERS_MAY_WRITE) === 0 ? 'own' : 'foreign';
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoWord(error))) return 'absent';
    return 'foreign';
  }
}

/** The default file as the one that is named; empty when there is none to use, which is a problem. */
export async function defaultFile(cwd: string, problems: Problems): Promise<readonly string[]> {
  const found = await lookForDefaultFile(cwd);
  if (found === 'own') return [DEFAULT_FILE];
  const { tellNoDefaultFile } = await import('../problems/no-default-file.ts');
  await tellNoDefaultFile(cwd, found, problems);
  return [];
}
