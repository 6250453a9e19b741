import { isFields, isSecret, type Value } from '../../base/value.ts';
import { RenderFault } from '../fault.ts';
import { writeJson } from '../json-text.ts';
import { textOf, toBytes } from '../text.ts';
import type { Picked } from './pick.ts';

const KEY = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * `KEY='value'` lines in the order of the sources and their fields. A source that is a map gives its fields, one that
 * is a leaf or a list gives one key, its own name. An optional secret that is absent gives nothing.
 */
export function writeDotenvFile(sources: readonly Picked[]): Uint8Array {
  const givers = new Map<string, string>();
  const lines: string[] = [];
  for (const { key, value, name, source } of sources.flatMap(entriesOf)) {
    if (!KEY.test(key)) {
      const hint = 'Rename it with rename, or write the file with a template.';
      throw new RenderFault('RENDER_KEY', `the field ${key} of ${source} is no name for a variable`, { hint });
    }
    const other = givers.get(key);
    if (other !== undefined) throw new RenderFault('RENDER_SAME_KEY', `${other} and ${source} both give ${key}`);
    givers.set(key, source);
    lines.push(`${key}=${quote(textFor(value, name), name)}\n`);
  }
  return toBytes(lines.join(''));
}

interface Entry {
  readonly key: string;
  readonly value: Value;
  /** `app.key`, for messages. */
  readonly name: string;
  /** The source that gives it, for messages. */
  readonly source: string;
}

function entriesOf({ from, value }: Picked): readonly Entry[] {
  const source = from.join('.');
  if (value === undefined) return [];
  if (isFields(value))
    return [...value].map(([key, field]) => ({ key, value: field, name: `${source}.${key}`, source }));
  return [{ key: from.at(-1) as string, value, name: source, source }];
}

function textFor(value: Value, name: string): string {
  if (!isSecret(value)) return quotableJson(value);
  return value.type === 'null' ? '' : textOf(value, name);
}

/** JSON whose strings are spelled so that single quotes carry it everywhere: the three below stand only in strings. */
function quotableJson(value: Value): string {
  return writeJson(value, 0).replaceAll('\\\\', '\\u005c').replaceAll("'", '\\u0027').replaceAll('${', '\\u0024{');
}

/** Read differently by someone whatever the quotes: NUL and CR, `${…}` and `\\` and a last `\` (python-dotenv). */
const NEVER = /[\0\r]|\$\{|\\\\|\\$/;
/** Not the same between double quotes: what sh expands or ends at, and a `\` that node, dotenv or Python would read. */
const NOT_IN_DOUBLE = /["$`]|\\[abfnrtv'\n]/;

/**
 * A quoting that `sh`, Node, dotenv and python-dotenv read back as the same text. There is at most one: single quotes
 * are literal for all four but have no escape; double quotes carry a `'` when nothing in them is special for anyone.
 * No other form is safe in a file that a shell may source, so what neither carries is refused.
 */
function quote(text: string, name: string): string {
  if (!NEVER.test(text)) {
    if (!text.includes("'")) return `'${text}'`;
    if (!NOT_IN_DOUBLE.test(text)) return `"${text}"`;
  }
  const hint = 'Use format: json, or a template that quotes for the one that reads it; see docs/templates.md.';
  throw new RenderFault('RENDER_NOT_TEXT', `no quoting carries ${name} through every reader of dotenv files`, { hint });
}
