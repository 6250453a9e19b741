import { isSecret } from '../../base/value.ts';
import { RenderFault } from '../template/fault.ts';
import { toBytes } from '../template/text.ts';
import { quoteDotenv } from '../text/dotenv.ts';
import type { Write } from './format.ts';
import { flatText, type KeyedField, keysOf, listed, MAX_LISTED } from './keys.ts';

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Format dotenv: `KEY='value'` lines that every reader of dotenv files reads back as the same text. */
export const writeDotenvFile: Write = (sources, options) => {
  const keys = keysOf(sources, options);
  refuseInvalidNames(keys.filter(({ key }) => !VARIABLE.test(key)));
  const lines = keys.map((entry) => [entry, quoteDotenv(textFor(entry))] as const);
  refuseUnquotable(lines.filter(([, quoted]) => quoted === undefined).map(([{ name }]) => name));
  return toBytes(lines.map(([{ key }, quoted]) => `${key}=${quoted}\n`).join(''));
};

/** Throws one failure for all keys that are not variable names, with a `rename` that would correct them. */
function refuseInvalidNames(wrong: readonly KeyedField[]): void {
  if (wrong.length === 0) return;
  const isOne = wrong.length === 1;
  const all = wrong.map(({ key, field, name }) => {
    const of = `${field} of ${name.slice(0, -field.length - 1) || name}`;
    return key === field ? of : `${of} (gives ${key})`;
  });
  const renames = wrong.slice(0, MAX_LISTED).map(({ field }) => {
    return `${JSON.stringify(field)}: ${field.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(?=\d|$)/, '_')}`;
  });
  const seen = isOne
    ? `the field ${all[0]} is not a valid variable name`
    : `the fields ${listed(all)} are not valid variable names`;
  const hint = `${isOne ? 'Rename it' : 'Rename them'}, as with rename: { ${renames.join(', ')} }, or write the file with a template.`;
  throw new RenderFault('RENDER_KEY', seen, { hint });
}

/** Throws one failure for all values that no quoting fits. */
function refuseUnquotable(names: readonly string[]): void {
  if (names.length === 0) return;
  const hint =
    'Use format: json, or a template that quotes for the program that reads the file; see docs/templates.md.';
  const seen = `${listed(names)} cannot be quoted so that every reader of dotenv files reads the same text`;
  throw new RenderFault('RENDER_NOT_TEXT', seen, { hint });
}

function textFor(entry: KeyedField): string {
  const text = flatText(entry);
  return isSecret(entry.value) ? text : quotableJson(text);
}

/** JSON that single quotes can hold for every reader. The three texts that it escapes occur only in JSON strings. */
const quotableJson = (json: string): string =>
  json.replaceAll('\\\\', '\\u005c').replaceAll("'", '\\u0027').replaceAll('${', '\\u0024{');
