import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

const CHART = 'examples/helm/pannier-injector';
const MARK = '<!-- values -->';

export interface ValueSchema {
  readonly type: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly additionalProperties?: false | object;
  readonly properties?: Readonly<Record<string, ValueSchema>>;
  readonly items?: ValueSchema;
}

export const readSchema = (): ValueSchema => JSON.parse(readFileSync(`${CHART}/values.schema.json`, 'utf8'));
export const readValues = (): Record<string, unknown> => parse(readFileSync(`${CHART}/values.yaml`, 'utf8'));

/** README.md of the chart with the table of its values; the text above the table is taken from `current`. */
export function chartPage(current: string): string {
  const start = current.indexOf(MARK);
  if (start === -1) throw new Error(`README.md of the chart has no ${MARK}`);
  const { global: _, ...keys } = readSchema().properties ?? {};
  const rows = rowsOf('', keys, readValues());
  return `${current.slice(0, start)}${MARK}\n\n| value | default | meaning |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
}

function rowsOf(above: string, keys: Readonly<Record<string, ValueSchema>>, values: Record<string, unknown>): string[] {
  return Object.entries(keys).flatMap(([key, { description = '', properties, type, enum: words }]) => {
    const path = `${above}${key}`;
    const value = values[key];
    const isDescribed = Object.values(properties ?? {}).some((one) => one.description !== undefined);
    const isSection = isDescribed && Object.keys((value ?? {}) as object).length > 0;
    const own = isSection ? '' : `\`${JSON.stringify(value)}\``;
    const choice =
      words === undefined || path === 'certificate.source' ? '' : ` One of ${words.map(shown).join(', ')}.`;
    const row = `| \`${path}\` | ${own} | ${description.replaceAll('|', '\\|')}${choice} |`;
    if (type !== 'object' || properties === undefined) return [row];
    return [row, ...(isSection ? rowsOf(`${path}.`, properties, value as Record<string, unknown>) : [])];
  });
}

const shown = (word: string): string => `\`${JSON.stringify(word)}\``;
