import { constants } from 'node:os';
import { parseDuration } from '../base/duration.ts';
import { didYouMean, makeNearest } from '../base/nearest.ts';
import { parseAddress } from './address.ts';
import { isApiPath } from './api-path.ts';
import { isLoopback, parseHostPort } from './host-port.ts';

/** What texts in a configuration must be, and how messages say it. Nothing in here needs zod, whose schemas use it. */

/** Messages that `describe-issue.ts` recognises, to show the value that was found and a hint. */
export const DURATION_EXPECTED = 'a duration with a unit is expected, such as 500ms, 30s or 1h30m';
export const POSITIVE_EXPECTED = 'a duration longer than zero is expected, such as 500ms, 30s or 1h30m';
export const MODE_EXPECTED = 'a mode of three octal digits in quotes is expected, such as "0400"';

/** The message for a key or a value that is known, and whose feature does not exist yet. */
export const NOT_YET = 'not yet supported';

/** The pattern of a name, and what it says in words. */
export interface NameRule {
  readonly pattern: RegExp;
  readonly expected: string;
}

/** The name of a secret, which templates and `from` use as one word. */
export const SECRET_NAME: NameRule = {
  pattern: /^[A-Za-z_][A-Za-z0-9_-]*$/,
  expected: 'the name of a secret begins with a letter or _ and goes on with letters, digits, _ and -',
};

/** The name of a backend or an output. */
export const OTHER_NAME: NameRule = {
  pattern: /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/,
  expected: 'a name is made of letters, digits, _, - and ., and begins with one of the first three',
};

/** Signals that no program can handle, so that they make no application reload. */
const UNHANDLEABLE: ReadonlySet<string> = new Set(['SIGKILL', 'SIGSTOP']);

/** Headers that Node writes itself, or that would change where the message ends or what it means. */
const WRITTEN_BY_NODE: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** A name that the rule `isSignalName` accepts, with `SIG`. */
export function fullSignalName(name: string): NodeJS.Signals {
  return (name.startsWith('SIG') ? name : `SIG${name}`) as NodeJS.Signals;
}

/** What is wrong with the name of a signal. Undefined: nothing. */
export function wrongSignal(name: string): string | undefined {
  const full = fullSignalName(name);
  if (UNHANDLEABLE.has(full)) return `no program can handle ${full}; SIGHUP is the usual one`;
  if (Object.hasOwn(constants.signals, full)) return undefined;
  const near = makeNearest(Object.keys(constants.signals))(full);
  return `a signal is expected, such as SIGHUP${didYouMean(near)}`;
}

/** What is wrong with the URL of a reload. Undefined: nothing. The message does not show the URL. */
export function wrongUrl(value: string): string | undefined {
  const expected = 'http://HOST:PORT/PATH or https://… is expected';
  if (!/^https?:\/\//i.test(value) || !URL.canParse(value)) return `it is not an http address; ${expected}`;
  const { username, password } = new URL(value);
  if (username !== '' || password !== '') return 'it holds a user or a password; credentials belong in headers';
  return value.includes('#') ? `it holds a fragment; ${expected}` : undefined;
}

/** What is wrong with an address in which `{region}` stands for the region that is asked. Undefined: nothing. */
export function wrongEndpoint(value: string): string | undefined {
  const { address = '', wrong } = parseAddress(value.replaceAll('{region}', 'region'));
  return wrong ?? (address.startsWith('unix:') ? 'http://HOST:PORT or https://HOST:PORT is expected' : undefined);
}

/**
 * Every rule that a schema puts to a text beside its pattern, by the name that the tables have for it (see
 * `check/table.ts`): a schema refines texts by these functions and no others.
 */
export const RULES = {
  isApiPath,
  isSignalName: (name: string) => wrongSignal(name) === undefined,
  fitsDuration: (value: string) => parseDuration(value) !== undefined,
  isLongerThanZero: (value: string) => parseDuration(value) !== 0,
  isHostPort: (value: string) => parseHostPort(value) !== undefined,
  isOnThisMachine: (value: string) => isLoopback(parseHostPort(value)?.host ?? 'localhost'),
  isUrl: (value: string) => wrongUrl(value) === undefined,
  isHeaderToSet: (name: string) => !WRITTEN_BY_NODE.has(name.toLowerCase()),
  isAddress: (value: string) => parseAddress(value).wrong === undefined,
  isEndpoint: (value: string) => wrongEndpoint(value) === undefined,
  isUserName: (name: string) => !name.startsWith('/') && !name.endsWith('/') && isApiPath(name),
} as const satisfies Readonly<Record<string, (text: string) => boolean>>;

export type RuleName = keyof typeof RULES;
