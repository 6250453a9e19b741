import { constants } from 'node:os';
import * as z from 'zod/mini';
import { parseDuration } from '../base/duration.ts';
import { didYouMean, makeNearest } from '../base/nearest.ts';
import { isApiPath } from './api-path.ts';
import { parseHostPort } from './host-port.ts';

/**
 * Building blocks of the sections. Each carries in `error` our own words for what is wanted; `problems.ts` puts what
 * was met before them. Zod's messages are never shown.
 */

export const DURATION_EXPECTED = 'a duration with a unit is expected, such as 500ms, 30s or 1h30m';
export const POSITIVE_EXPECTED = 'a duration longer than zero is expected, such as 500ms, 30s or 1h30m';
export const MODE_EXPECTED = 'a mode of three octal digits in quotes is expected, such as "0400"';

/** Message of an enum or a union that met a value whose issue is not built yet. */
export const NOT_YET = 'not yet supported';

const TEXT_EXPECTED = 'text is expected';
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;

/** Text of at least one character and without NUL, which neither a path nor an argument can hold. */
export const text = z
  .string({ error: TEXT_EXPECTED })
  .check(z.minLength(1, { error: 'it must not be empty' }), z.regex(/^[^\0]*$/, { error: 'it must not hold NUL' }));

/** Text that is a path; `resolve.ts` makes it absolute. */
export const path = text;

/** A path of the API; slashes around it do not count. */
export const apiPath = text.check(z.refine(isApiPath, { error: 'a path has no empty part, no . and no ..' }));

export const bool = z.boolean({ error: 'true or false is expected' });

/** Name of a secret: templates and `from` take it as a word. */
export const secretName = z.string().check(
  z.regex(/^[A-Za-z_][A-Za-z0-9_-]*$/, {
    error: 'the name of a secret begins with a letter or _ and goes on with letters, digits, _ and -',
  }),
);

/** Name of a backend or an output. */
export const otherName = z.string().check(
  z.regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, {
    error: 'a name is made of letters, digits, _, - and ., and begins with one of the first three',
  }),
);

/** A program and its arguments. */
export const argv = z
  .array(z.string({ error: TEXT_EXPECTED }).check(z.regex(/^[^\0]*$/, { error: 'it must not hold NUL' })))
  .check(z.minLength(1, { error: 'the program and its arguments are expected' }));

/** Nobody can handle these, so nothing is taken up by them. */
const USELESS: ReadonlySet<string> = new Set(['SIGKILL', 'SIGSTOP']);

/** With or without SIG; `fullSignalName` makes it one with. */
export const signalName = text.check(
  z.refine((value) => wrongSignal(value) === undefined, { error: ({ input }) => wrongSignal(input as string) }),
);

export function fullSignalName(name: string): NodeJS.Signals {
  return (name.startsWith('SIG') ? name : `SIG${name}`) as NodeJS.Signals;
}

/** User or group number. */
export const id = z
  .int({ error: 'a whole number is expected' })
  .check(z.minimum(0, { error: 'it must not be negative' }), z.maximum(4294967294, { error: 'it is too large' }));

/** Version number: 1 and up. */
export const count = z.int({ error: 'a whole number is expected' }).check(z.minimum(1, { error: 'it begins at 1' }));

export const duration = z
  .string({ error: DURATION_EXPECTED })
  .check(
    z.regex(DURATION, { error: DURATION_EXPECTED, abort: true }),
    z.refine(fitsDuration, { error: 'a hundred years is the longest duration' }),
  );

/** A duration that would make a loop without a pause, or no time at all, when it were zero. */
export const positiveDuration = z.string({ error: POSITIVE_EXPECTED }).check(
  z.regex(DURATION, { error: POSITIVE_EXPECTED, abort: true }),
  z.refine(fitsDuration, { error: 'a hundred years is the longest duration', abort: true }),
  z.refine((value) => parseDuration(value) !== 0, { error: POSITIVE_EXPECTED }),
);

/** `HOST:PORT`, with an IPv6 address in brackets; port 0 would be one that nobody knows. */
export const hostPort = text.check(
  z.refine((value) => parseHostPort(value) !== undefined, {
    error: 'HOST:PORT is expected, such as 127.0.0.1:8270 or [::1]:8270',
  }),
);

export const mode = z.string({ error: MODE_EXPECTED }).check(z.regex(/^0?[0-7]{3}$/, { error: MODE_EXPECTED }));

/**
 * A key that is known and refused: its issue is not built yet. To enable it, put its schema in the place of this.
 * Nothing else in the schema may be `z.never()`: that is how `problems.ts` knows it.
 */
export function notYet() {
  return z.optional(z.never()).register(z.globalRegistry, { description: NOT_YET });
}

/** One of `now`; one of `later` is refused as not yet supported. To enable one, move it. */
export function choice<const Now extends readonly string[]>(now: Now, later: readonly string[] = []) {
  return z.enum(now, { error: ({ input }) => (later.includes(input as string) ? NOT_YET : undefined) });
}

/** The error function of a discriminated union whose options `later` are not built yet. */
export function laterOptions(discriminator: string, later: readonly string[]) {
  return ({ input }: { readonly input?: unknown }): string | undefined =>
    later.includes((input as Record<string, string> | undefined)?.[discriminator] ?? '') ? NOT_YET : undefined;
}

function wrongSignal(name: string): string | undefined {
  const full = fullSignalName(name);
  if (USELESS.has(full)) return `no program can handle ${full}; SIGHUP is the usual one`;
  if (Object.hasOwn(constants.signals, full)) return undefined;
  const near = makeNearest(Object.keys(constants.signals))(full);
  return `a signal is expected, such as SIGHUP${didYouMean(near)}`;
}

function fitsDuration(value: string): boolean {
  return parseDuration(value) !== undefined;
}
