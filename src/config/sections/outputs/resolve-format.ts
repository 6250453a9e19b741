import type { FileContent, FormatName, FormatOptions } from '../../config.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import type { Problems } from '../../problems/problems.ts';
import type { OutputFileShape } from '../../schema.ts';
import { type KnownSecrets, splitSource } from '../secrets/resolve-source.ts';
import { checkVariables, KEY_OPTIONS, keyOptionsOf, resolveSources } from './resolve-keys.ts';

/** Keys of a file that go with `format` only. */
export const FORMAT_KEYS = ['from', ...KEY_OPTIONS, 'for', 'flat', 'parts', 'keyFormat', 'password', 'alias'] as const;

/** Formats whose file is one flat list of keys. The nested ones are flat with `flat: true`. */
const KEYED: readonly FormatName[] = ['dotenv', 'properties'];
const NESTED: readonly FormatName[] = ['json', 'yaml'];
const KEYS: readonly FormatName[] = ['pem', 'der'];
const CERTIFICATES: readonly FormatName[] = [...KEYS, 'pkcs12', 'truststore'];

/** The formats that an option goes with. `render/formats/certificates.ts` checks those of certificates further. */
const GOES_WITH = {
  flat: NESTED,
  for: ['dotenv'],
  parts: CERTIFICATES,
  password: CERTIFICATES,
  keyFormat: KEYS,
  alias: ['pkcs12'],
} satisfies Partial<Record<keyof OutputFileShape, readonly FormatName[]>>;

/** The content of a file with `format`. Undefined when something is wrong; it was added to `problems`. */
export function resolveFormat(
  format: FormatName,
  shape: OutputFileShape,
  entry: ConfigEntry,
  secrets: KnownSecrets,
  problems: Problems,
): FileContent | undefined {
  const before = problems.count;
  checkFrom(format, shape.from, entry, problems);
  const from = resolveSources(shape.from, entry, secrets, problems);
  checkOptions(format, shape, entry, problems);
  const password = resolvePassword(shape.password, entry, secrets, problems);
  if (problems.count > before) return undefined;
  const options = { ...optionsOf(shape), ...(password === undefined ? {} : { password }) };
  return { kind: 'format', format, from, ...(Object.keys(options).length === 0 ? {} : { options }) };
}

const optionsOf = (shape: OutputFileShape): FormatOptions => ({
  ...keyOptionsOf(shape),
  ...(shape.for === undefined ? {} : { for: shape.for }),
  ...(shape.flat === undefined ? {} : { flat: shape.flat }),
  ...(shape.parts === undefined ? {} : { parts: [shape.parts].flat() }),
  ...(shape.keyFormat === undefined ? {} : { keyFormat: shape.keyFormat }),
  ...(shape.alias === undefined ? {} : { alias: shape.alias }),
});

function checkOptions(
  format: FormatName,
  shape: OutputFileShape,
  { file, path }: ConfigEntry,
  problems: Problems,
): void {
  for (const [key, formats] of Object.entries<readonly FormatName[]>(GOES_WITH)) {
    if (shape[key as keyof typeof GOES_WITH] === undefined || formats.includes(format)) continue;
    problems.add('CONFIG_INVALID', file, [...path, key], `${key} goes with ${formats.join(', ')}`, 'Remove it.');
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

/** The source of a password. What is written there may be a password itself, so messages do not show it. */
function resolvePassword(
  source: string | undefined,
  { file, path }: ConfigEntry,
  secrets: KnownSecrets,
  problems: Problems,
): readonly string[] | undefined {
  if (source === undefined) return undefined;
  const split = splitSource(source);
  const [name = '', field = ''] = split;
  if (secrets.has(name) && field !== '') return split;
  const hint = 'A password comes from a secret: write SECRET.FIELD.';
  problems.add('CONFIG_INVALID', file, [...path, 'password'], 'it does not name a field of a secret', hint);
  return undefined;
}

function checkFrom(
  format: FormatName,
  from: OutputFileShape['from'],
  { file, path }: ConfigEntry,
  problems: Problems,
): void {
  const place = [...path, 'from'];
  const count = typeof from === 'string' ? 1 : (from ?? []).length;
  if (count === 0) {
    const seen = 'from is absent, and a format writes secrets';
    problems.add('CONFIG_MISSING', file, place, seen, 'Name one or several secrets.');
  }
  if (format === 'raw' && count > 1) {
    problems.add('CONFIG_INVALID', file, place, 'raw takes exactly one source', 'Name one secret and its field.');
  }
}
