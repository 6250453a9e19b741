import { resolve } from 'node:path';
import { errnoWord } from '../../base/errno.ts';
import { statInTime } from '../../base/read-file.ts';
import type { Problems } from '../problems/problems.ts';

/** The file that is the configuration when none is named. */
export const DEFAULT_FILE = 'pannier.yaml';

/** Names that the default file is given by mistake. */
const NEAR_NAMES = ['pannier.yml', 'pannier.json'] as const;

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
  const why = found === 'foreign' ? ', and another user owns or may change the pannier.yaml here' : '';
  if (found === 'absent') {
    const others = await Promise.all(NEAR_NAMES.map((name) => exists(resolve(cwd, name))));
    const other = NEAR_NAMES.find((_, index) => others[index]);
    if (other !== undefined) {
      const seen = `no configuration file was given; there is ${other} here, but only ${DEFAULT_FILE} is read by itself`;
      problems.addAt('CONFIG_MISSING', 'configuration', seen, `Give -c ${other}, or rename it to ${DEFAULT_FILE}.`);
      return [];
    }
  }
  const hint = 'Give -c FILE, set PANNIER_CONFIG, or start where pannier.yaml is.';
  problems.addAt('CONFIG_MISSING', 'configuration', `no configuration file was given${why}`, hint);
  return [];
}

const exists = (path: string): Promise<boolean> =>
  statInTime(path).then(
    () => true,
    () => false,
  );
