import type { Location, Program, Statement } from './syntax-tree.ts';

/** `{{name}}` and `{{name.field}}`, of names that Handlebars reads as they stand here. */
const SIMPLE = /\{\{( *)([A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*) *\}\}(?!\})/y;

/** A backslash escapes `{{`, and the parser counts lines that end in a carriage return in a way of its own. */
const NOT_SIMPLE = /[\r\0]|\\\{\{/;

/** Words that are no names for Handlebars. */
const WORDS: ReadonlySet<string> = new Set(['true', 'false', 'null', 'undefined', 'this', 'as']);

/**
 * Parses a template that is text with the fields of secrets in it, as most are. The tree is the same that Handlebars
 * makes, without loading its parser; a thousand small templates take a tenth of the time. Undefined: Handlebars must
 * parse the template, which has something else in it, or a mistake.
 */
export function parseSimple(source: string): Program | undefined {
  if (!source.includes('{{')) return { body: [{ type: 'ContentStatement', value: source }] };
  if (NOT_SIMPLE.test(source)) return undefined;
  const body: Statement[] = [];
  let end = 0;
  let line = 1;
  let lineStart = 0;
  for (let open = source.indexOf('{{'); open !== -1; open = source.indexOf('{{', end)) {
    SIMPLE.lastIndex = open;
    const [whole = '', space = '', original = ''] = SIMPLE.exec(source) ?? [];
    const parts = original.split('.');
    // The parser takes `{{else` for itself, whatever follows.
    if (whole === '' || original.startsWith('else') || parts.some((part) => WORDS.has(part))) return undefined;
    if (open > end) body.push({ type: 'ContentStatement', value: source.slice(end, open) });
    for (let at = source.indexOf('\n', end); at !== -1 && at < open; at = source.indexOf('\n', at + 1)) {
      line++;
      lineStart = at + 1;
    }
    const column = open - lineStart;
    const start = column + 2 + space.length;
    const path = { type: 'PathExpression', data: false, depth: 0, parts, original } as const;
    body.push({
      type: 'MustacheStatement',
      path: { ...path, loc: inLine(line, start, start + original.length) },
      params: [],
      loc: inLine(line, column, column + whole.length),
    });
    end = open + whole.length;
  }
  if (end < source.length) body.push({ type: 'ContentStatement', value: source.slice(end) });
  return { body };
}

function inLine(line: number, start: number, end: number): Location {
  return { start: { line, column: start }, end: { line, column: end } };
}
