import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { errnoWord } from './errno.ts';

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  ENOTDIR: 'it is not a directory',
  EACCES: 'this user has no permission to write there',
  EROFS: 'the file system is read-only',
};

/** Why nothing can be made in a directory; undefined: it can. Nothing is made to find out. */
export async function accessIssue(path: string): Promise<string | undefined> {
  try {
    await access(`${path}/.`, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const code = errnoWord(error);
    return WORDS[code] ?? code;
  }
}
