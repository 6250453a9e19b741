import type { Code } from '../base/codes.ts';
import type { Failure } from '../base/errors.ts';

const NOTHING_THERE: ReadonlySet<Code> = new Set([
  'SECRET_NOT_FOUND',
  'SECRET_DELETED',
  'SECRET_DESTROYED',
  'SECRET_EMPTY',
] satisfies Code[]);

/** Whether the backend answered that the secret does not exist or holds no data. */
export const isNothingThere = ({ code }: Failure): boolean => NOTHING_THERE.has(code);
