import type { Code } from '../../base/codes.ts';
import { errnoOf } from '../../base/errno.ts';
import { fail } from '../../base/errors.ts';

const CODE_OF: Readonly<Record<string, Code>> = {
  ENOSPC: 'OUTPUT_FULL',
  EDQUOT: 'OUTPUT_FULL',
  ELOOP: 'OUTPUT_SYMLINK',
  EEXIST: 'OUTPUT_OCCUPIED',
  ENOTDIR: 'OUTPUT_OCCUPIED',
  EISDIR: 'OUTPUT_OCCUPIED',
  ENOTEMPTY: 'OUTPUT_OCCUPIED',
};

/**
 * A failed system call as our error; `what` says in our words which step failed, on which path. Nothing of the foreign
 * error passes but its errno. Errors that are no system error (ours, a programmer's mistake) come back as they are.
 */
export function diskFailure(error: unknown, place: string, what: string): unknown {
  const code = errnoOf(error);
  return code === undefined ? error : fail(CODE_OF[code] ?? 'OUTPUT_NOT_WRITABLE', place, `${what} (${code})`);
}

/** Like `trouble` for a change of owner: refused, or an id that this user namespace does not know. */
export function ownerFailure(error: unknown, place: string, what: string): unknown {
  const code = errnoOf(error);
  return code === 'EPERM' || code === 'EINVAL'
    ? fail('OUTPUT_OWNER', place, `${what} (${code})`)
    : diskFailure(error, place, what);
}

/** Makes a call for which one errno is an answer: undefined then, any other error is thrown on. */
export async function unless<T>(code: string, call: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (errnoOf(error) === code) return undefined;
    throw error;
  }
}
