import { HELPERS } from '../../src/render/helpers/index.ts';
import { QUOTINGS } from '../../src/render/quoting.ts';

/** What each target of quote is shown for. */
const QUOTED = `it's <é> & b`;

const HELPER_TABLE = '| helper | what it gives | example | result |';
const QUOTING_TABLE = '| target | what it writes | result |';

/** docs/templates.md with its tables as the code has them; everything else is kept from `current`. */
export function templatesPage(current: string): string {
  const helpers = [...HELPERS.values()].map(
    ({ usage, does, example: [template, gives] }) =>
      `| ${cell(usage)} | ${does} | ${cell(template)} | ${cell(gives)} |`,
  );
  const targets = Object.entries(QUOTINGS).map(
    ([name, { does, quote }]) => `| ${cell(name)} | ${does} | ${cell(quote(QUOTED) ?? '')} |`,
  );
  return withRows(withRows(current, HELPER_TABLE, helpers), QUOTING_TABLE, targets);
}

const cell = (text: string): string => `\`${text.replaceAll('\n', '⏎')}\``;

/** Replaces the rows below a table's head and its rule. */
function withRows(page: string, head: string, rows: readonly string[]): string {
  const lines = page.split('\n');
  const start = lines.indexOf(head) + 2;
  if (start === 1) throw new Error(`no table begins with ${head}`);
  const length = lines.slice(start).findIndex((line) => !line.startsWith('|'));
  return [...lines.slice(0, start), ...rows, ...lines.slice(start + length)].join('\n');
}
