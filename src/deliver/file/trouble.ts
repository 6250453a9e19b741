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
 * Turns a failed system call into a PannierError. `what` says which step failed, on which path; of the system's error
 * only the errno is kept. Other errors (a PannierError, a programmer's mistake) come back as they are.
 */
export function diskFailure(error: unknown, place: string, what: string): unknown {
  const code = errnoOf(error);
  return code === undefined ? error : fail(CODE_OF[code] ?? 'OUTPUT_NOT_WRITABLE', place, `${what} (${code})`);
}

/** As `diskFailure`, for a change of owner: OUTPUT_OWNER when it is refused, or the user namespace lacks the id. */
export function ownerFailure(error: unknown, place: string, what: string): unknown {
  const code = errnoOf(error);
  return code === 'EPERM' || code === 'EINVAL'
    ? fail('OUTPUT_OWNER', place, `${what} (${code})`)
    : diskFailure(error, place, what);
}

/** Makes a call for which one errno is an expected answer: undefined then. Other errors are thrown on. */
export async function unless<T>(code: string, call: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (errnoOf(error) === code) return undefined;
    throw error;
  }
}
