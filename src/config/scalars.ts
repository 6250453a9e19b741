import * as z from 'zod/mini';
import {
  DURATION_EXPECTED,
  MODE_EXPECTED,
  type NameRule,
  NOT_YET,
  OTHER_NAME,
  POSITIVE_EXPECTED,
  RULES,
  SECRET_NAME,
  wrongSignal,
} from './rules.ts';

/**
 * Building blocks of the sections' schemas. The `error` of each says what is expected, and `describe-issue.ts` puts
 * before it what the file has instead. Zod's own messages are never shown.
 */

const TEXT_EXPECTED = 'text is expected';
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;

/** Text of at least one character, and without NUL, which neither a path nor an argument can hold. */
export const text = z
  .string({ error: TEXT_EXPECTED })
  .check(z.minLength(1, { error: 'it must not be empty' }), z.regex(/^[^\0]*$/, { error: 'it must not hold NUL' }));

/** A path of a file; the `resolve.ts` of its section makes it absolute. */
export const path = text;

/** A path of the API, with or without slashes at its beginning and end. */
export const apiPath = text.check(z.refine(RULES.isApiPath, { error: 'a path has no empty part, no . and no ..' }));

export const bool = z.boolean({ error: 'true or false is expected' });

export const secretName = nameOf(SECRET_NAME);
export const otherName = nameOf(OTHER_NAME);

/** A program and its arguments. */
export const argv = z
  .array(z.string({ error: TEXT_EXPECTED }).check(z.regex(/^[^\0]*$/, { error: 'it must not hold NUL' })))
  .check(z.minLength(1, { error: 'the program and its arguments are expected' }));

/** The name of a signal, with or without `SIG`. */
export const signalName = text.check(
  z.refine(RULES.isSignalName, { error: ({ input }) => wrongSignal(input as string) }),
);

/** The number of a user or a group. */
export const id = z
  .int({ error: 'a whole number is expected' })
  .check(z.minimum(0, { error: 'it must not be negative' }), z.maximum(4294967294, { error: 'it is too large' }));

/** A whole number from 1 on: a version, or how many there may be of something. */
export const count = z.int({ error: 'a whole number is expected' }).check(z.minimum(1, { error: 'it begins at 1' }));

/** How many generations of an output may be kept. */
export const MAX_KEPT = 20;

/** A duration, which may be zero. */
export const duration = z
  .string({ error: DURATION_EXPECTED })
  .check(
    z.regex(DURATION, { error: DURATION_EXPECTED, abort: true }),
    z.refine(RULES.fitsDuration, { error: 'a hundred years is the longest duration' }),
  );

/** A duration that must not be zero: an interval of zero would be a loop without a pause, a timeout of zero no time. */
export const positiveDuration = z
  .string({ error: POSITIVE_EXPECTED })
  .check(
    z.regex(DURATION, { error: POSITIVE_EXPECTED, abort: true }),
    z.refine(RULES.fitsDuration, { error: 'a hundred years is the longest duration', abort: true }),
    z.refine(RULES.isLongerThanZero, { error: POSITIVE_EXPECTED }),
  );

/**
 * `HOST:PORT`, with an IPv6 address in brackets. Port 0 is refused: the system would choose a port that no client
 * knows.
 */
export const hostPort = text.check(
  z.refine(RULES.isHostPort, {
    error: 'HOST:PORT is expected, such as 127.0.0.1:8270 or [::1]:8270',
  }),
);

/** Permission bits in octal. */
export const mode = z.string({ error: MODE_EXPECTED }).check(z.regex(/^0?[0-7]{3}$/, { error: MODE_EXPECTED }));

/** One of `now`. A value of `later` is refused as not yet supported; to enable it, move it to `now`. */
export function choice<const Now extends readonly string[]>(now: Now, later: readonly string[] = []) {
  return z.enum(now, { error: ({ input }) => (later.includes(input as string) ? NOT_YET : undefined) });
}

function nameOf({ pattern, expected }: NameRule) {
  return z.string().check(z.regex(pattern, { error: expected }));
}
