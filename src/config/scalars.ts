import { constants } from 'node:os';
import * as z from 'zod/mini';
import { parseDuration } from '../base/duration.ts';
import { didYouMean, makeNearest } from '../base/nearest.ts';
import { isApiPath } from './api-path.ts';
import { parseHostPort } from './host-port.ts';

/**
 * Building blocks of the sections' schemas. The `error` of each says what is expected, and `describe-issue.ts` puts
 * before it what the file has instead. Zod's own messages are never shown.
 */

/** Messages that `describe-issue.ts` recognises, to show the value that was found and a hint. */
export const DURATION_EXPECTED = 'a duration with a unit is expected, such as 500ms, 30s or 1h30m';
export const POSITIVE_EXPECTED = 'a duration longer than zero is expected, such as 500ms, 30s or 1h30m';
export const MODE_EXPECTED = 'a mode of three octal digits in quotes is expected, such as "0400"';

/** The message for a key or a value that is known, and whose feature does not exist yet. */
export const NOT_YET = 'not yet supported';

const TEXT_EXPECTED = 'text is expected';
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;

/** Text of at least one character, and without NUL, which neither a path nor an argument can hold. */
export const text = z
  .string({ error: TEXT_EXPECTED })
  .check(z.minLength(1, { error: 'it must not be empty' }), z.regex(/^[^\0]*$/, { error: 'it must not hold NUL' }));

/** A path of a file; the `resolve.ts` of its section makes it absolute. */
export const path = text;

/** A path of the API, with or without slashes at its beginning and end. */
export const apiPath = text.check(z.refine(isApiPath, { error: 'a path has no empty part, no . and no ..' }));

export const bool = z.boolean({ error: 'true or false is expected' });

/** The name of a secret, which templates and `from` use as one word. */
export const secretName = z.string().check(
  z.regex(/^[A-Za-z_][A-Za-z0-9_-]*$/, {
    error: 'the name of a secret begins with a letter or _ and goes on with letters, digits, _ and -',
  }),
);

/** The name of a backend or an output. */
export const otherName = z.string().check(
  z.regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, {
    error: 'a name is made of letters, digits, _, - and ., and begins with one of the first three',
  }),
);

/** A program and its arguments. */
export const argv = z
  .array(z.string({ error: TEXT_EXPECTED }).check(z.regex(/^[^\0]*$/, { error: 'it must not hold NUL' })))
  .check(z.minLength(1, { error: 'the program and its arguments are expected' }));

/** Signals that no program can handle, so that they make no application reload. */
const UNHANDLEABLE: ReadonlySet<string> = new Set(['SIGKILL', 'SIGSTOP']);

/** The name of a signal, with or without `SIG`. */
export const signalName = text.check(
  z.refine((value) => wrongSignal(value) === undefined, { error: ({ input }) => wrongSignal(input as string) }),
);

/** A name that the scalar `signalName` accepts, with `SIG`. */
export function fullSignalName(name: string): NodeJS.Signals {
  return (name.startsWith('SIG') ? name : `SIG${name}`) as NodeJS.Signals;
}

/** The number of a user or a group. */
export const id = z
  .int({ error: 'a whole number is expected' })
  .check(z.minimum(0, { error: 'it must not be negative' }), z.maximum(4294967294, { error: 'it is too large' }));

/** A whole number from 1 on: a version, or how many there may be of something. */
export const count = z.int({ error: 'a whole number is expected' }).check(z.minimum(1, { error: 'it begins at 1' }));

/** A duration, which may be zero. */
export const duration = z
  .string({ error: DURATION_EXPECTED })
  .check(
    z.regex(DURATION, { error: DURATION_EXPECTED, abort: true }),
    z.refine(fitsDuration, { error: 'a hundred years is the longest duration' }),
  );

/** A duration that must not be zero: an interval of zero would be a loop without a pause, a timeout of zero no time. */
export const positiveDuration = z.string({ error: POSITIVE_EXPECTED }).check(
  z.regex(DURATION, { error: POSITIVE_EXPECTED, abort: true }),
  z.refine(fitsDuration, { error: 'a hundred years is the longest duration', abort: true }),
  z.refine((value) => parseDuration(value) !== 0, { error: POSITIVE_EXPECTED }),
);

/**
 * `HOST:PORT`, with an IPv6 address in brackets. Port 0 is refused: the system would choose a port that no client
 * knows.
 */
export const hostPort = text.check(
  z.refine((value) => parseHostPort(value) !== undefined, {
    error: 'HOST:PORT is expected, such as 127.0.0.1:8270 or [::1]:8270',
  }),
);

/** Permission bits in octal. */
export const mode = z.string({ error: MODE_EXPECTED }).check(z.regex(/^0?[0-7]{3}$/, { error: MODE_EXPECTED }));

/**
 * A key that is known and refused, since its feature does not exist yet. To enable the key, replace this by its schema.
 * Nothing else in a schema may be `z.never()`, by which `describe-issue.ts` recognises it.
 */
export function notYet() {
  return z.optional(z.never()).register(z.globalRegistry, { description: NOT_YET });
}

/** One of `now`. A value of `later` is refused as not yet supported; to enable it, move it to `now`. */
export function choice<const Now extends readonly string[]>(now: Now, later: readonly string[] = []) {
  return z.enum(now, { error: ({ input }) => (later.includes(input as string) ? NOT_YET : undefined) });
}

/** The error function of a discriminated union: options of `later` are refused as not yet supported. */
export function laterOptions(discriminator: string, later: readonly string[]) {
  return ({ input }: { readonly input?: unknown }): string | undefined =>
    later.includes((input as Record<string, string> | undefined)?.[discriminator] ?? '') ? NOT_YET : undefined;
}

function wrongSignal(name: string): string | undefined {
  const full = fullSignalName(name);
  if (UNHANDLEABLE.has(full)) return `no program can handle ${full}; SIGHUP is the usual one`;
  if (Object.hasOwn(constants.signals, full)) return undefined;
  const near = makeNearest(Object.keys(constants.signals))(full);
  return `a signal is expected, such as SIGHUP${didYouMean(near)}`;
}

function fitsDuration(value: string): boolean {
  return parseDuration(value) !== undefined;
}
