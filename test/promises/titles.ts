/**
 * The full names of the tests in a file, read from its source: the titles of the `describe`s around a test and its own,
 * joined by spaces, as `vitest -t` matches them. A table of tests is one name, with its `%s` as written.
 *
 * It reads what our formatter leaves: a call of `describe`, `it` or `test` begins its line, and what is inside a
 * `describe` is indented further than it.
 */
export function titlesOf(source: string): string[] {
  const titles: string[] = [];
  const context: { readonly indent: number; readonly title: string }[] = [];
  for (const { index, 1: margin = '', 2: word } of source.matchAll(/^( *)(describe|it|test)\b(?=[.(])/gm)) {
    const title = firstText(source, index + margin.length + (word?.length ?? 0));
    if (title === undefined) continue;
    while ((context.at(-1)?.indent ?? -1) >= margin.length) context.pop();
    const full = [...context.map((outer) => outer.title), title].join(' ');
    if (word === 'describe') context.push({ indent: margin.length, title });
    else titles.push(full);
  }
  return titles;
}

/** The text that stands first in the last call of a chain such as `it.each<T>([…])('title', …)`. */
function firstText(source: string, from: number): string | undefined {
  let at = from;
  for (;;) {
    at = skip(source, at, /[\s.\w]*/y);
    if (source[at] === '<') at = afterPair(source, at, '<', '>');
    else if (source[at] === '(') {
      const inside = skip(source, at + 1, /\s*/y);
      const quoted = /(['"`])((?:\\.|(?!\1)[^\\])*)\1/y;
      quoted.lastIndex = inside;
      const found = quoted.exec(source)?.[2];
      if (found !== undefined) return found.replaceAll(/\\(.)/g, '$1');
      at = afterPair(source, at, '(', ')');
    } else return undefined;
  }
}

function skip(source: string, from: number, what: RegExp): number {
  what.lastIndex = from;
  what.exec(source);
  return Math.max(from, what.lastIndex);
}

/** Where a pair of brackets that opens at `from` is closed; quotes, comments and arrows in between do not count. */
function afterPair(source: string, from: number, open: string, close: string): number {
  const token =
    /'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`|\/\/.*|(?<=[(,[:=]\s*)\/(?:\\.|[^/\\\n])+\/|=>|./gsy;
  token.lastIndex = from;
  let depth = 0;
  for (let met = token.exec(source)?.[0]; met !== undefined; met = token.exec(source)?.[0]) {
    if (met === open) depth++;
    else if (met === close && --depth === 0) return token.lastIndex;
  }
  return source.length;
}
