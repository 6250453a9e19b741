import { isSecret } from '../../base/value.ts';
import { quoteDotenv } from '../dotenv-text.ts';
import { RenderFault } from '../fault.ts';
import { toBytes } from '../text.ts';
import type { Write } from './index.ts';
import { flatText, type Keyed, keysOf } from './keys.ts';

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** `KEY='value'` lines that every reader of such files reads back as the same text. */
export const writeDotenvFile: Write = (sources, options) =>
  toBytes(
    keysOf(sources, options)
      .map((entry) => `${variable(entry)}=${quoted(entry)}\n`)
      .join(''),
  );

function variable({ key, field, name }: Keyed): string {
  if (VARIABLE.test(key)) return key;
  const other = field.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(?=\d|$)/, '_');
  const hint = `Rename it, as with rename: { ${JSON.stringify(field)}: ${other} }, or write the file with a template.`;
  const seen = `the field ${field} of ${name.slice(0, -field.length - 1) || name}`;
  const gives = key === field ? 'is no name for a variable' : `gives ${key}, which is no name for a variable`;
  throw new RenderFault('RENDER_KEY', `${seen} ${gives}`, { hint });
}

function quoted(entry: Keyed): string {
  const text = flatText(entry);
  const quote = quoteDotenv(isSecret(entry.value) ? text : quotableJson(text));
  if (quote !== undefined) return quote;
  const hint = 'Use format: json, or a template that quotes for the one that reads it; see docs/templates.md.';
  throw new RenderFault('RENDER_NOT_TEXT', `no quoting carries ${entry.name} through every reader of dotenv files`, {
    hint,
  });
}

/** JSON whose strings are spelled so that single quotes carry it everywhere: the three below stand only in strings. */
const quotableJson = (json: string): string =>
  json.replaceAll('\\\\', '\\u005c').replaceAll("'", '\\u0027').replaceAll('${', '\\u0024{');
