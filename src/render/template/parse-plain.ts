import type { Location, Mustache, Program, Statement } from './parse.ts';

/** Names separated by dots, with optional whitespace around them, up to the braces that close. */
const PLAIN = /[ \t]*([A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)[ \t]*\}\}(?!\})/y;

/** Names that mean something else to Handlebars. */
const WORDS: ReadonlySet<string> = new Set(['true', 'false', 'null', 'undefined', 'else', 'this', 'as']);

/**
 * Parses a template of text and plain paths, such as `user={{db.username}}`, into the tree that the parser of
 * Handlebars gives for it. Most templates are like that, and the parser takes 3 ms and 2 MiB to load. Undefined: the
 * template has something else in it.
 */
export function parsePlain(source: string): Program | undefined {
  const body: Statement[] = [];
  const at = createCounter(source);
  let from = 0;
  for (let open = source.indexOf('{{'); open !== -1; open = source.indexOf('{{', from)) {
    // A backslash before the braces escapes them, and three braces are another statement.
    if (source[open - 1] === '\\') return undefined;
    PLAIN.lastIndex = open + 2;
    const [, path] = PLAIN.exec(source) ?? [];
    if (path === undefined || path.split('.').some((part) => WORDS.has(part))) return undefined;
    const end = PLAIN.lastIndex;
    if (open > from) body.push({ type: 'ContentStatement', value: source.slice(from, open) });
    const begin = source.indexOf(path, open + 2);
    body.push(mustache(path, { start: at(open), end: at(end) }, { start: at(begin), end: at(begin + path.length) }));
    from = end;
  }
  if (from < source.length) body.push({ type: 'ContentStatement', value: source.slice(from) });
  return { body };
}

function mustache(original: string, loc: Location, pathLoc: Location): Mustache {
  const path = { data: false, depth: 0, parts: original.split('.'), original, loc: pathLoc } as const;
  return { type: 'MustacheStatement', path: { type: 'PathExpression', ...path }, params: [], loc };
}

/** Answers the line (from 1) and column (from 0) of offsets, each at or after the one before: one pass over all. */
function createCounter(source: string): (offset: number) => Location['start'] {
  const newline = /\r\n?|\n/g;
  let line = 1;
  let lineStart = 0;
  let next = newline.exec(source);
  return (offset) => {
    while (next !== null && next.index + next[0].length <= offset) {
      line++;
      lineStart = next.index + next[0].length;
      next = newline.exec(source);
    }
    return { line, column: offset - lineStart };
  };
}
