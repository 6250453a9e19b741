import { isFields, isSecret, type Value } from '../../base/value.ts';
import { isVariableName } from '../../base/variable-name.ts';
import type { FormatOptions } from '../../config/config.ts';
import { RenderFault, throwAll } from '../template/fault.ts';
import { textOf } from '../template/text.ts';
import { writeJson } from '../text/json.ts';
import type { PickedSource } from './pick.ts';

/** One key of a file that is a list of keys. */
export interface KeyedField {
  readonly key: string;
  readonly value: Value;
  /** The source of the value, such as `app.pass-word`, for messages. */
  readonly name: string;
  /** The field's own name, before `rename`. */
  readonly field: string;
}

/** The keys of `readKeys`. @throws RenderFault with all that is wrong. */
export function keysOf(sources: readonly PickedSource[], options: FormatOptions): readonly KeyedField[] {
  const { keys, faults } = readKeys(sources, options);
  throwAll(faults);
  return keys;
}

/**
 * The keys of a file, in the order of the sources and their fields: field names after `rename`, `case`, `prefix` and
 * `keys`. A source that is a map gives a key per field; a leaf or a list gives one key, its own name; an optional
 * secret that is absent gives none.
 * @param isTaken keys that are left out, since something else gives them.
 * @returns with the keys also what is wrong: RENDER_SAME_KEY when two fields give one key, RENDER_MISSING_FIELD when
 * `rename` names a field that no source has.
 */
export function readKeys(
  sources: readonly PickedSource[],
  options: FormatOptions,
  isTaken: (key: string) => boolean = () => false,
): { readonly keys: readonly KeyedField[]; readonly faults: readonly RenderFault[] } {
  const { rename = [] } = options;
  const faults: RenderFault[] = [];
  const renames = new Map(rename);
  const unusedRenames = new Set(renames.keys());
  const namesByKey = new Map<string, string[]>();
  const keys = sources.flatMap(fieldsOf).flatMap(({ field, name, value }): KeyedField[] => {
    unusedRenames.delete(name);
    unusedRenames.delete(field);
    const renamed = renames.get(name) ?? renames.get(field) ?? field;
    const key = keyFor(renamed, options);
    if (isTaken(key)) return [];
    namesByKey.set(key, [...(namesByKey.get(key) ?? []), name]);
    return [{ key, value, name, field }];
  });
  const repeated = [...namesByKey].filter(([, names]) => names.length > 1);
  if (repeated.length > 0) {
    const seen = repeated.map(([key, names]) => describeRepeated(key, names));
    faults.push(new RenderFault('RENDER_SAME_KEY', listed(seen, '; ')));
  }
  // An unused rename may be for a field of an optional secret that is absent.
  if (unusedRenames.size > 0 && sources.every(({ value }) => value !== undefined)) {
    const seen = `rename names ${listed([...unusedRenames])}, which no source has`;
    faults.push(new RenderFault('RENDER_MISSING_FIELD', seen));
  }
  return { keys, faults };
}

/** The key that a name gives after `case`, `prefix` and `keys`. */
function keyFor(renamed: string, { case: letterCase, prefix = '', keys }: FormatOptions): string {
  const whole = prefix + (letterCase === undefined ? renamed : changeCase(renamed, letterCase));
  return keys === 'identifier' ? asIdentifier(whole) : whole;
}

/** The text with `_` for each character that no identifier has, and before a digit at its beginning. */
export const asIdentifier = (text: string): string => text.replace(/[^A-Za-z0-9_]/gu, '_').replace(/^(?=\d|$)/, '_');

const describeRepeated = (key: string, names: readonly string[]): string =>
  `${names.slice(0, -1).join(', ')} and ${names.at(-1)} ${names.length > 2 ? 'all' : 'both'} give ${key}`;

/** Limits the names that one message lists, so that it stays readable. */
const MAX_LISTED = 10;

/** A list for a message: up to `MAX_LISTED` items, then how many more there are. */
export function listed(all: readonly string[], separator = ', '): string {
  const more = all.length - MAX_LISTED;
  return `${all.slice(0, MAX_LISTED).join(separator)}${more > 0 ? `${separator}and ${more} more` : ''}`;
}

const changeCase = (name: string, letterCase: 'upper' | 'lower'): string =>
  letterCase === 'upper' ? name.toUpperCase() : name.toLowerCase();

function fieldsOf({ from, value }: PickedSource): readonly Omit<KeyedField, 'key'>[] {
  const source = from.join('.');
  if (value === undefined) return [];
  if (!isFields(value)) return [{ field: from.at(-1) as string, name: source, value }];
  return [...value].map(([field, below]) => ({ field, name: `${source}.${field}`, value: below }));
}

/**
 * What is wrong with the keys that are no names of variables: one fault for all of them, with what corrects them: a
 * `rename` that can be pasted, and what else helps with all of them. None when nothing is wrong.
 * @param instead what the hint offers beside `rename` and `keys: identifier`.
 */
export function invalidNames(
  keys: readonly KeyedField[],
  options: FormatOptions,
  instead: readonly ('names: any' | 'write the file with a template')[],
): RenderFault[] {
  const wrong = keys.filter(({ key }) => !isVariableName(key, options.names));
  if (wrong.length === 0) return [];
  const all = wrong.map((field) => {
    const { key, field: own } = field;
    return key === own ? whoseField(field) : `${whoseField(field)} (gives ${shown(key)})`;
  });
  const isOne = wrong.length === 1;
  const seen = isOne
    ? `the field ${all[0]} is not a valid variable name`
    : `the fields ${listed(all)} are not valid variable names`;
  const rest = wrong.length > MAX_LISTED ? ' and so on' : '';
  const renamed = `${isOne ? 'Rename it' : 'Rename them'}, as with rename: { ${renamesFor(wrong, keys, options)} }${rest}`;
  const fitsAny = wrong.every(({ key }) => isVariableName(key, 'any'));
  const ways = [
    ...(staysDistinct(keys) ? ['set keys: identifier for all'] : []),
    ...instead.filter((way) => way !== 'names: any' || fitsAny),
  ];
  const last = ways.pop();
  const offered = last === undefined ? '' : `${ways.map((way) => `, ${way}`).join('')}, or ${last}`;
  return [new RenderFault('RENDER_KEY', seen, { hint: `${renamed}${offered}.` })];
}

/** The entries of a `rename` that gives each of the wrong fields a key that no other field has. */
function renamesFor(wrong: readonly KeyedField[], keys: readonly KeyedField[], options: FormatOptions): string {
  const taken = new Set(keys.map(({ key }) => key));
  const fields = new Map<string, number>();
  for (const { field } of keys) fields.set(field, (fields.get(field) ?? 0) + 1);
  const renames = wrong.slice(0, MAX_LISTED).map(({ field, name }) => {
    const plain = field === '' ? 'empty' : asIdentifier(field);
    let to = plain;
    for (let count = 2; taken.has(keyFor(to, options)); count++) to = `${plain}_${count}`;
    taken.add(keyFor(to, options));
    return `${JSON.stringify(fields.get(field) === 1 ? field : name)}: ${to}`;
  });
  return renames.join(', ');
}

/** Whether keys that differ still do with `keys: identifier`. */
function staysDistinct(keys: readonly KeyedField[]): boolean {
  const distinct = new Set(keys.map(({ key }) => key));
  return new Set([...distinct].map(asIdentifier)).size === distinct.size;
}

/** `pass-word of app`. */
export const whoseField = ({ field, name }: KeyedField): string =>
  `${shown(field)} of ${name.slice(0, -field.length - 1) || name}`;

/** A name as it is, or in quotes when its end could not be seen. */
const shown = (name: string): string => (/^[^\s",()]+$/.test(name) ? name : JSON.stringify(name));

/**
 * The text of a value for a format that has only texts: lists and maps become JSON on one line, bytes become base64,
 * `null` becomes an empty text.
 * @throws RenderFault RENDER_NOT_TEXT for half a surrogate pair.
 */
export function flatText({ value, name }: Pick<KeyedField, 'value' | 'name'>): string {
  if (!isSecret(value)) return writeJson(value, 0);
  if (value.type === 'bytes') return Buffer.from(value.exposeBytes('file')).toString('base64');
  return value.type === 'null' ? '' : textOf(value, name);
}
