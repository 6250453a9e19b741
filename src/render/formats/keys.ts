import { isFields, isSecret, type Value } from '../../base/value.ts';
import type { FormatOptions } from '../../config/config.ts';
import { RenderFault } from '../template/fault.ts';
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

/**
 * The keys of a file, in the order of the sources and their fields: field names after `rename`, `case` and `prefix`. A
 * source that is a map gives a key per field; a leaf or a list gives one key, its own name; an optional secret that is
 * absent gives none.
 * @throws RenderFault RENDER_SAME_KEY when two fields give one key, RENDER_MISSING_FIELD when `rename` names a field
 * that no source has.
 */
export function keysOf(sources: readonly PickedSource[], options: FormatOptions): readonly KeyedField[] {
  const { rename = [], case: letterCase, prefix = '' } = options;
  const renames = new Map(rename);
  const unusedRenames = new Set(renames.keys());
  const namesByKey = new Map<string, string[]>();
  const keys = sources.flatMap(fieldsOf).map(({ field, name, value }) => {
    unusedRenames.delete(name);
    unusedRenames.delete(field);
    const renamed = renames.get(name) ?? renames.get(field) ?? field;
    const key = prefix + (letterCase === undefined ? renamed : changeCase(renamed, letterCase));
    namesByKey.set(key, [...(namesByKey.get(key) ?? []), name]);
    return { key, value, name, field };
  });
  const repeated = [...namesByKey].filter(([, names]) => names.length > 1);
  if (repeated.length > 0) {
    throw new RenderFault(
      'RENDER_SAME_KEY',
      listed(
        repeated.map(([key, names]) => describeRepeated(key, names)),
        '; ',
      ),
    );
  }
  // An unused rename may be for a field of an optional secret that is absent.
  if (unusedRenames.size > 0 && sources.every(({ value }) => value !== undefined)) {
    const seen = `rename names ${listed([...unusedRenames])}, which no source has`;
    throw new RenderFault('RENDER_MISSING_FIELD', seen);
  }
  return keys;
}

const describeRepeated = (key: string, names: readonly string[]): string =>
  `${names.slice(0, -1).join(', ')} and ${names.at(-1)} ${names.length > 2 ? 'all' : 'both'} give ${key}`;

/** Limits the names that one message lists. */
export const MAX_LISTED = 10;

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
 * The text of a value for a format that has only texts: lists and maps become JSON on one line, bytes become base64,
 * `null` becomes an empty text.
 * @throws RenderFault RENDER_NOT_TEXT for half a surrogate pair.
 */
export function flatText({ value, name }: Pick<KeyedField, 'value' | 'name'>): string {
  if (!isSecret(value)) return writeJson(value, 0);
  if (value.type === 'bytes') return Buffer.from(value.exposeBytes('file')).toString('base64');
  return value.type === 'null' ? '' : textOf(value, name);
}
