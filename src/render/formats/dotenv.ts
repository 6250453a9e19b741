import { isSecret } from '../../base/value.ts';
import type { FormatOptions } from '../../config/config.ts';
import { RenderFault, throwAll } from '../template/fault.ts';
import { toBytes } from '../template/text.ts';
import { quoteDotenv } from '../text/dotenv.ts';
import { DOTENV_READERS } from '../text/dotenv-reader.ts';
import { isDroppedBySystemd } from '../text/systemd.ts';
import type { Write } from './format.ts';
import { flatText, invalidNames, type KeyedField, listed, readKeys } from './keys.ts';

/**
 * Format dotenv: `KEY='value'` lines that every reader of dotenv files reads back as the same text, or the one reader
 * of the option `for`.
 */
export const writeDotenvFile: Write = (sources, options) => {
  const { keys, faults } = readKeys(sources, options);
  const { lines, refused } = linesOf(keys, options);
  throwAll([...faults, ...invalidNames(keys, options, ['write the file with a template']), ...refused]);
  return toBytes(lines.join(''));
};

/** The lines of the file, and what is wrong with the values that no line can hold. */
function linesOf(
  keys: readonly KeyedField[],
  options: FormatOptions,
): { lines: readonly string[]; refused: readonly RenderFault[] } {
  const lines: string[] = [];
  const refused: RenderFault[] = [];
  const unquotable: string[] = [];
  for (const entry of keys) {
    try {
      const quoted = quotedFor(entry, options);
      if (quoted === undefined) unquotable.push(entry.name);
      lines.push(`${entry.key}=${quoted}\n`);
    } catch (error) {
      if (!(error instanceof RenderFault)) throw error;
      refused.push(error);
    }
  }
  if (unquotable.length > 0) refused.push(unquotableFault(listed(unquotable), options));
  return { lines, refused };
}

function unquotableFault(names: string, { for: reader }: FormatOptions): RenderFault {
  const who = reader === undefined ? 'every reader of dotenv files' : DOTENV_READERS[reader].name;
  const hint =
    reader === undefined
      ? `Name the one program that reads the file, with for: ${Object.keys(DOTENV_READERS).join(', ')}; or use ` +
        'format: json, or a template that quotes for the program; see docs/templates.md.'
      : 'Use format: json, or a template with base64encode; see docs/templates.md.';
  return new RenderFault('RENDER_NOT_TEXT', `${names} cannot be quoted so that ${who} reads the same text`, { hint });
}

function quotedFor(entry: KeyedField, { for: reader }: FormatOptions): string | undefined {
  const text = flatText(entry);
  const quote = reader === undefined ? quoteDotenv : DOTENV_READERS[reader].quote;
  return quote(text, entry.key) ?? (isSecret(entry.value) ? undefined : quote(quotableJson(text), entry.key));
}

/** JSON that single quotes can hold for every reader. All that it escapes occurs only in JSON strings. */
function quotableJson(json: string): string {
  const quotable = json.replaceAll('\\\\', '\\u005c').replaceAll("'", '\\u0027').replaceAll('${', '\\u0024{');
  return isDroppedBySystemd(quotable) ? [...quotable].map(escapeDropped).join('') : quotable;
}

const escapeDropped = (char: string): string =>
  isDroppedBySystemd(char) ? char.split('').map(escapeUnit).join('') : char;

const escapeUnit = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
