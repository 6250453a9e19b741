import { isSecret } from '../../base/value.ts';
import { RenderFault, throwAll } from '../template/fault.ts';
import { toBytes } from '../template/text.ts';
import { quoteDotenv } from '../text/dotenv.ts';
import type { Write } from './format.ts';
import { flatText, invalidNames, type KeyedField, listed, readKeys } from './keys.ts';

/** Format dotenv: `KEY='value'` lines that every reader of dotenv files reads back as the same text. */
export const writeDotenvFile: Write = (sources, options) => {
  const { keys, faults } = readKeys(sources, options);
  const { lines, refused } = linesOf(keys);
  throwAll([
    ...faults,
    ...invalidNames(keys, options, 'set keys: identifier for all, or write the file with a template'),
    ...refused,
  ]);
  return toBytes(lines.join(''));
};

/** The lines of the file, and what is wrong with the values that no line can hold. */
function linesOf(keys: readonly KeyedField[]): { lines: readonly string[]; refused: readonly RenderFault[] } {
  const lines: string[] = [];
  const refused: RenderFault[] = [];
  const unquotable: string[] = [];
  for (const entry of keys) {
    try {
      const quoted = quoteDotenv(textFor(entry));
      if (quoted === undefined) unquotable.push(entry.name);
      lines.push(`${entry.key}=${quoted}\n`);
    } catch (error) {
      if (!(error instanceof RenderFault)) throw error;
      refused.push(error);
    }
  }
  if (unquotable.length > 0) {
    const hint =
      'Use format: json, or a template that quotes for the program that reads the file; see docs/templates.md.';
    const seen = `${listed(unquotable)} cannot be quoted so that every reader of dotenv files reads the same text`;
    refused.push(new RenderFault('RENDER_NOT_TEXT', seen, { hint }));
  }
  return { lines, refused };
}

function textFor(entry: KeyedField): string {
  const text = flatText(entry);
  return isSecret(entry.value) ? text : quotableJson(text);
}

/** JSON that single quotes can hold for every reader. The three texts that it escapes occur only in JSON strings. */
const quotableJson = (json: string): string =>
  json.replaceAll('\\\\', '\\u005c').replaceAll("'", '\\u0027').replaceAll('${', '\\u0024{');
