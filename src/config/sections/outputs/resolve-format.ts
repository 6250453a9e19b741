import type { FileContent, FormatName, FormatOptions } from '../../config.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import type { Problems } from '../../problems/problems.ts';
import type { OutputFileShape } from '../../schema.ts';
import { type KnownSecrets, resolveSource } from '../secrets/resolve-source.ts';

const KEY_OPTIONS = ['rename', 'case', 'prefix'] as const;

/** Keys of a file that go with `format` only. */
export const FORMAT_KEYS = ['from', ...KEY_OPTIONS, 'flat'] as const;

/** Formats whose file is one flat list of keys. The nested ones are flat with `flat: true`. */
const KEYED: readonly FormatName[] = ['dotenv', 'properties'];
const NESTED: readonly FormatName[] = ['json', 'yaml'];
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The content of a file with `format`. Undefined when something is wrong; it was added to `problems`. */
export function resolveFormat(
  format: FormatName,
  shape: OutputFileShape,
  entry: ConfigEntry,
  secrets: KnownSecrets,
  problems: Problems,
): FileContent | undefined {
  const before = problems.count;
  const from = resolveFrom(format, shape.from, entry, secrets, problems);
  checkOptions(format, shape, entry, problems);
  if (problems.count > before) return undefined;
  const options = optionsOf(shape);
  return { kind: 'format', format, from, ...(Object.keys(options).length === 0 ? {} : { options }) };
}

function optionsOf({ rename, case: letters, prefix, flat }: OutputFileShape): FormatOptions {
  return {
    ...(rename === undefined ? {} : { rename: Object.entries(rename) }),
    ...(letters === undefined ? {} : { case: letters }),
    ...(prefix === undefined ? {} : { prefix }),
    ...(flat === undefined ? {} : { flat }),
  };
}

function checkOptions(
  format: FormatName,
  shape: OutputFileShape,
  { file, path }: ConfigEntry,
  problems: Problems,
): void {
  if (shape.flat !== undefined && !NESTED.includes(format)) {
    problems.add('CONFIG_INVALID', file, [...path, 'flat'], 'flat goes with json and yaml', 'Remove it.');
  }
  if (!KEYED.includes(format) && !(NESTED.includes(format) && shape.flat === true)) {
    const hint = NESTED.includes(format) ? 'Remove it, or add flat: true.' : 'Remove it.';
    for (const key of KEY_OPTIONS) {
      if (shape[key] === undefined) continue;
      const seen = `${key} goes with dotenv and properties, and with json and yaml that are flat`;
      problems.add('CONFIG_INVALID', file, [...path, key], seen, hint);
    }
  }
  if (format === 'dotenv') checkVariables(shape, { file, path }, problems);
}

/** Refuses names that are wrong whatever the fields are. The others are checked when the fields are known. */
function checkVariables(
  { prefix = '', rename = {} }: OutputFileShape,
  { file, path }: Pick<ConfigEntry, 'file' | 'path'>,
  problems: Problems,
): void {
  const hint = 'A variable begins with a letter or _ and goes on with letters, digits and _.';
  if (prefix !== '' && !VARIABLE.test(prefix)) {
    problems.add(
      'CONFIG_INVALID',
      file,
      [...path, 'prefix'],
      'the name of a variable cannot begin with this prefix',
      hint,
    );
    return;
  }
  for (const [field, name] of Object.entries(rename)) {
    if (VARIABLE.test(prefix + name)) continue;
    problems.add('CONFIG_INVALID', file, [...path, 'rename', field], 'the new name is no name of a variable', hint);
  }
}

function resolveFrom(
  format: FormatName,
  from: OutputFileShape['from'],
  { file, path }: ConfigEntry,
  secrets: KnownSecrets,
  problems: Problems,
): readonly (readonly string[])[] {
  const place = [...path, 'from'];
  const names = typeof from === 'string' ? [from] : (from ?? []);
  if (names.length === 0) {
    problems.add(
      'CONFIG_MISSING',
      file,
      place,
      'from is absent, and a format writes secrets',
      'Name one or several secrets.',
    );
  }
  if (format === 'raw' && names.length > 1) {
    problems.add('CONFIG_INVALID', file, place, 'raw takes exactly one source', 'Name one secret and its field.');
  }
  return names.flatMap((name, index) => {
    const split = resolveSource(name, file, typeof from === 'string' ? place : [...place, index], secrets, problems);
    return split === undefined ? [] : [split];
  });
}
