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
  /** The field it comes from, `app.pass-word`, for messages. */
  readonly name: string;
  /** The field's own name, before `rename`. */
  readonly field: string;
}

/**
 * The keys of a file, in the order of the sources and their fields: field names after `rename`, `case` and `prefix`. A
 * source that is a map gives its fields; a leaf or a list gives one key, its own name; an optional secret that is
 * absent gives nothing.
 * @throws RenderFault when two fields give one key, or when `rename` names a field that is not there.
 */
export function keysOf(sources: readonly PickedSource[], options: FormatOptions): readonly KeyedField[] {
  const { rename = [], case: letters, prefix = '' } = options;
  const renames = new Map(rename);
  const idle = new Set(renames.keys());
  const givers = new Map<string, string[]>();
  const keys = sources.flatMap(fieldsOf).map(({ field, name, value }) => {
    idle.delete(name);
    idle.delete(field);
    const renamed = renames.get(name) ?? renames.get(field) ?? field;
    const key = prefix + (letters === undefined ? renamed : changeCase(renamed, letters));
    givers.set(key, [...(givers.get(key) ?? []), name]);
    return { key, value, name, field };
  });
  const same = [...givers].filter(([, names]) => names.length > 1);
  if (same.length > 0) {
    throw new RenderFault(
      'RENDER_SAME_KEY',
      listed(
        same.map(([key, names]) => bothGive(key, names)),
        '; ',
      ),
    );
  }
  // The field may be one of a secret that is optional and absent.
  if (idle.size > 0 && sources.every(({ value }) => value !== undefined)) {
    const seen = `rename names ${listed([...idle])}, which no source has`;
    throw new RenderFault('RENDER_MISSING_FIELD', seen);
  }
  return keys;
}

const bothGive = (key: string, names: readonly string[]): string =>
  `${names.slice(0, -1).join(', ')} and ${names.at(-1)} ${names.length > 2 ? 'all' : 'both'} give ${key}`;

/** Longest list in one message. */
export const MAX_LISTED = 10;

/** All that is wrong in one file is told at once, up to a length that can be read. */
export function listed(all: readonly string[], separator = ', '): string {
  const more = all.length - MAX_LISTED;
  return `${all.slice(0, MAX_LISTED).join(separator)}${more > 0 ? `${separator}and ${more} more` : ''}`;
}

const changeCase = (name: string, letters: 'upper' | 'lower'): string =>
  letters === 'upper' ? name.toUpperCase() : name.toLowerCase();

function fieldsOf({ from, value }: PickedSource): readonly Omit<KeyedField, 'key'>[] {
  const source = from.join('.');
  if (value === undefined) return [];
  if (!isFields(value)) return [{ field: from.at(-1) as string, name: source, value }];
  return [...value].map(([field, below]) => ({ field, name: `${source}.${field}`, value: below }));
}

/**
 * The text of a value where only texts can stand: lists and maps as JSON on one line, bytes as base64, `null` as
 * nothing.
 * @throws RenderFault
 */
export function flatText({ value, name }: Pick<KeyedField, 'value' | 'name'>): string {
  if (!isSecret(value)) return writeJson(value, 0);
  if (value.type === 'bytes') return Buffer.from(value.exposeBytes('file')).toString('base64');
  return value.type === 'null' ? '' : textOf(value, name);
}
