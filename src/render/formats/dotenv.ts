import { isSecret } from '../../base/value.ts';
import { RenderFault } from '../template/fault.ts';
import { toBytes } from '../template/text.ts';
import { quoteDotenv } from '../text/dotenv.ts';
import type { Write } from './format.ts';
import { flatText, type KeyedField, keysOf, listed, MAX_LISTED } from './keys.ts';

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** `KEY='value'` lines that every reader of such files reads back as the same text. */
export const writeDotenvFile: Write = (sources, options) => {
  const keys = keysOf(sources, options);
  refuseOtherNames(keys.filter(({ key }) => !VARIABLE.test(key)));
  const lines = keys.map((entry) => [entry, quoteDotenv(textFor(entry))] as const);
  refuseUnquotable(lines.filter(([, quoted]) => quoted === undefined).map(([{ name }]) => name));
  return toBytes(lines.map(([{ key }, quoted]) => `${key}=${quoted}\n`).join(''));
};

/** Tells every wrong name of the file at once, with a `rename` for all of them. */
function refuseOtherNames(wrong: readonly KeyedField[]): void {
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
    ? `the field ${all[0]} is no name for a variable`
    : `the fields ${listed(all)} are no names for variables`;
  const hint = `${isOne ? 'Rename it' : 'Rename them'}, as with rename: { ${renames.join(', ')} }, or write the file with a template.`;
  throw new RenderFault('RENDER_KEY', seen, { hint });
}

function refuseUnquotable(names: readonly string[]): void {
  if (names.length === 0) return;
  const hint = 'Use format: json, or a template that quotes for the one that reads it; see docs/templates.md.';
  const seen = `no quoting carries ${listed(names)} through every reader of dotenv files`;
  throw new RenderFault('RENDER_NOT_TEXT', seen, { hint });
}

function textFor(entry: KeyedField): string {
  const text = flatText(entry);
  return isSecret(entry.value) ? text : quotableJson(text);
}

/** JSON whose strings are spelled so that single quotes carry it everywhere: the three below stand only in strings. */
const quotableJson = (json: string): string =>
  json.replaceAll('\\\\', '\\u005c').replaceAll("'", '\\u0027').replaceAll('${', '\\u0024{');
