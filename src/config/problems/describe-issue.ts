import type * as z from 'zod/mini';
import type { Code } from '../../base/codes.ts';
import { didYouMean, makeNearest } from '../../base/nearest.ts';
import { isTree, type SourceFile } from '../load/source-file.ts';
import { type ConfigPath, formatPlace, pathKey, valueAt } from '../place.ts';
import { DURATION_EXPECTED, MODE_EXPECTED, NOT_YET, POSITIVE_EXPECTED } from '../rules.ts';
import { keysOfOptions, knownKeys } from './schema-keys.ts';

/** A problem of an entry; `path` is below the entry. */
export interface DescribedIssue {
  readonly code: Code;
  readonly path: ConfigPath;
  readonly seen: string;
  readonly hint?: string;
}

/** What zod's types are called in messages. */
const EXPECTED: Readonly<Record<string, string>> = {
  string: 'text is expected',
  object: 'a map is expected',
  record: 'a map is expected',
  array: 'a list is expected',
};

/**
 * Translates an issue of zod into one problem, or one for each unknown key. Messages quote nothing of the file but what
 * cannot be a secret: numbers, booleans and durations where these are expected, and keys or choices like known ones.
 */
export function describeIssue(
  issue: z.core.$ZodIssue,
  schema: z.core.$ZodType,
  entry: unknown,
  file: SourceFile,
  base: ConfigPath,
): DescribedIssue[] {
  const path = issue.path as ConfigPath;
  const value = valueAt(entry, path);
  if (issue.message === NOT_YET) {
    return [{ code: 'CONFIG_NOT_SUPPORTED', path, seen: `${choicePrefix(path, value)}not yet supported` }];
  }
  if (issue.code === 'unrecognized_keys') {
    const nearest = makeNearest(knownKeys(schema, path, entry));
    return issue.keys.map((key) => describeUnknownKey(key, path, isTree(value) ? value[key] : undefined, nearest));
  }
  if (value === undefined) return describeMissing(issue, schema, entry);
  if (issue.code === 'custom') return [{ code: 'CONFIG_INVALID', path, seen: issue.message }];
  const filled = file.filled.has(pathKey([...base, ...path]));
  const expected = describeExpected(issue);
  if (filled)
    return [{ code: 'CONFIG_INVALID', path, seen: `the value that the reference gave does not fit; ${expected}` }];
  const near = typeof value === 'string' ? makeNearest(choicesOf(issue))(value) : undefined;
  const seen = `${describeFound(value, issue)}; ${expected}${didYouMean(near)}`;
  return [{ code: 'CONFIG_INVALID', path, seen, ...hintFor(value, issue, [...base, ...path]) }];
}

/**
 * A key that is absent. Without a kind or a method nothing has looked at the other keys, and one of them may be the
 * misspelt one.
 */
function describeMissing(issue: z.core.$ZodIssue, schema: z.core.$ZodType, entry: unknown): DescribedIssue[] {
  const path = issue.path as ConfigPath;
  const absent: DescribedIssue = { code: 'CONFIG_MISSING', path, seen: describeAbsent(issue, path) };
  const around = path.slice(0, -1);
  const map = valueAt(entry, around);
  const name = path.at(-1);
  if (issue.code !== 'invalid_union' || typeof name !== 'string' || !isTree(map)) return [absent];
  const all = keysOfOptions(schema, around, entry, undefined);
  if (all.length === 0) return [absent];
  const isMeant = makeNearest([name]);
  const misspelt = Object.keys(map).find((key) => !all.includes(key) && isMeant(key) !== undefined);
  const known = keysOfOptions(schema, around, entry, misspelt === undefined ? undefined : map[misspelt]);
  const nearest = makeNearest(known);
  const unknown = Object.keys(map).filter((key) => key !== misspelt && !known.includes(key));
  return [
    misspelt === undefined ? absent : describeUnknownKey(misspelt, around, map[misspelt], isMeant),
    ...unknown.map((key) => describeUnknownKey(key, around, map[key], nearest)),
  ];
}

function describeUnknownKey(
  key: string,
  path: ConfigPath,
  value: unknown,
  nearest: (word: string) => string | undefined,
): DescribedIssue {
  const near = nearest(key);
  const code = 'CONFIG_UNKNOWN_KEY';
  if (near !== undefined) {
    return { code, path: [...path, key], seen: `unknown key${didYouMean(near)}`, hint: 'Correct it.' };
  }
  if (key === '<<') {
    const hint = 'Write the keys out, or use an alias for a whole value.';
    return { code, path, seen: 'the merge key << is not part of YAML 1.2', hint };
  }
  // `{token:hunter2}` is the key "token:hunter2" without a value.
  if (value === null) {
    return { code, path, seen: 'unknown key without a value', hint: 'Put a space after each colon.' };
  }
  return { code, path: [...path, key], seen: 'unknown key' };
}

/** The value before a message about it, `aws-secrets-manager: `, when it is a choice; empty for a key. */
function choicePrefix(path: ConfigPath, value: unknown): string {
  return typeof value === 'string' && NAMED_CHOICES.has(String(path.at(-1))) ? `${value}: ` : '';
}

/** Keys whose unsupported values come from a fixed list, so that they are no secrets. */
const NAMED_CHOICES: ReadonlySet<string> = new Set(['kind', 'method']);

function describeAbsent(issue: z.core.$ZodIssue, path: ConfigPath): string {
  const options = optionsOf(issue);
  const seen = typeof path.at(-1) === 'string' ? `${String(path.at(-1))} is absent` : 'it is absent';
  return options.length > 0 && path.length > 0 ? `${seen}; one of ${options.join(', ')} is expected` : seen;
}

function describeFound(value: unknown, issue: z.core.$ZodIssue): string {
  if (value === null) return 'it is empty';
  if (Array.isArray(value)) return value.length === 0 ? 'it is an empty list' : 'it is a list';
  if (typeof value === 'object') return 'it is a map';
  if (typeof value === 'string') {
    if (value === '') return 'it is empty';
    const isHarmless = isTime(issue) && /^-?[\d.]{1,10} ?[A-Za-z]{0,7}$/.test(value);
    return isHarmless ? `it is "${value}"` : issue.code === 'invalid_type' ? 'it is text' : 'the text does not fit';
  }
  const shown = isTime(issue) || issue.message === MODE_EXPECTED || expectsNumberOrBoolean(issue);
  return shown ? `it is the ${typeof value} ${String(value)}` : `it is a ${typeof value}`;
}

function describeExpected(issue: z.core.$ZodIssue): string {
  const options = optionsOf(issue);
  if (options.length > 1) return `one of ${options.join(', ')} is expected`;
  if (issue.message !== 'Invalid input') return issue.message;
  return (issue.code === 'invalid_type' ? EXPECTED[issue.expected] : undefined) ?? 'something else is expected';
}

/** What to write for formats of certificates that other programs have names for. */
const OTHER_FORMATS: ReadonlyMap<unknown, string> = new Map([
  ['jks', 'JKS is not written: use pkcs12 for a key and truststore for CAs, which Java 8 and newer read as well.'],
  ['p12', 'Write pkcs12.'],
  ['pfx', 'Write pkcs12.'],
]);

function hintFor(value: unknown, issue: z.core.$ZodIssue, place: ConfigPath): { hint?: string } {
  const other = optionsOf(issue).includes('pkcs12') ? OTHER_FORMATS.get(value) : undefined;
  if (other !== undefined) return { hint: other };
  if (typeof value === 'number' && issue.message === MODE_EXPECTED) {
    return { hint: 'Put it in quotes: in YAML 1.2 an unquoted 0400 is the decimal number 400, not an octal mode.' };
  }
  if (isTime(issue) && /^\d+(\.\d+)?$/.test(String(value))) {
    return { hint: `A bare number says no unit: write ${String(value)}s for seconds, ${String(value)}ms, m, h or d.` };
  }
  if (issue.code === 'invalid_type' && issue.expected === 'boolean' && /^(?:yes|no|on|off|y|n)$/i.test(String(value))) {
    return { hint: 'YAML 1.2 knows only true and false, without quotes.' };
  }
  if (optionsOf(issue).some((option) => typeof option === 'number' && String(option) === value)) {
    return { hint: 'Drop the quotes.' };
  }
  if (issue.code === 'invalid_type' && issue.expected === 'string' && typeof value !== 'object') {
    return { hint: 'Put it in quotes.' };
  }
  const isMap = issue.code === 'invalid_type' && (issue.expected === 'object' || issue.expected === 'record');
  if (isMap && typeof value === 'string') {
    const path = place[0] === 'secrets' && place[2] === 'write' ? 'Write it as write: { path: … }. ' : '';
    return { hint: `${path}pannier explain ${formatPlace(place)} shows its keys.` };
  }
  return {};
}

function optionsOf(issue: z.core.$ZodIssue): readonly unknown[] {
  if (issue.code === 'invalid_value') return issue.values;
  if (issue.code === 'invalid_union' && 'options' in issue) return (issue.options as unknown[] | undefined) ?? [];
  return [];
}

/** The options that are text, among which a misspelt one can be looked for. */
function choicesOf(issue: z.core.$ZodIssue): readonly string[] {
  return optionsOf(issue).filter((option) => typeof option === 'string');
}

function isTime({ message }: z.core.$ZodIssue): boolean {
  return message === DURATION_EXPECTED || message === POSITIVE_EXPECTED;
}

function expectsNumberOrBoolean(issue: z.core.$ZodIssue): boolean {
  if (issue.code === 'invalid_type') return ['number', 'int', 'boolean'].includes(issue.expected);
  return issue.code === 'too_small' || issue.code === 'too_big' || issue.code === 'invalid_value';
}
