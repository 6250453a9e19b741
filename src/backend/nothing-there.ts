import type { Code } from '../base/codes.ts';
import type { Failure } from '../base/errors.ts';

const NOTHING_THERE: ReadonlySet<Code> = new Set([
  'SECRET_NOT_FOUND',
  'SECRET_DELETED',
  'SECRET_DESTROYED',
  'SECRET_EMPTY',
] satisfies Code[]);

/** The backend answered, and its answer is that the secret is not there. */
export const isNothingThere = ({ code }: Failure): boolean => NOTHING_THERE.has(code);
