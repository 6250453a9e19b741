/** Why a dotenv file is refused, and in which line; it quotes no part of the file. */
export class DotenvError extends Error {
  readonly what: string;
  /** From 1 on. */
  readonly line: number;

  constructor(what: string, line: number) {
    super(`${what}, line ${line}`);
    this.name = 'DotenvError';
    this.what = what;
    this.line = line;
  }
}

/** The beginning of a line up to its value, perhaps with `export` for shells. */
const ASSIGNMENT = /^[^\S\n]*(?:export[^\S\n]+)?([A-Za-z_][\w.-]*)[^\S\n]*=[^\S\n]*/;
/** An empty line, or one with only a comment. */
const BLANK = /^[^\S\n]*(?:#[^\n]*)?(?:\n|$)/;
/** What may follow a closing quote. */
const AFTER_QUOTE = /^[^\S\n]*(?:(?<=\s)#[^\n]*)?(?:\n|$)/;
/** Some readers replace this by the value of a variable, others do not. */
const EXPANSION = /\$[\w{($]/;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', '"': '"', '\\': '\\' };
/** Characters that only some readers unescape. Before any other character, all readers keep the backslash. */
const DISPUTED_ESCAPE = /^[abftv'$`\n]$/;
const USE_SINGLE_QUOTES = 'put the value in single quotes';

/**
 * Reads the variables of a dotenv file. The format has no standard: what most readers (dotenv libraries, shells,
 * `docker --env-file`) read alike is read so; what they read differently is refused, since a wrong password is worse
 * than none.
 *
 * - A line is `NAME=value`, perhaps with `export` and with spaces around the equals sign. When a name comes twice, the
 *   last value counts.
 * - A value without quotes is the text up to the end of the line or ` #`, without white space at its ends. A `#` within
 *   a word is part of the value, and so are quotes and backslashes in the middle.
 * - A value in single quotes is taken literally and may have several lines. In double quotes the escapes are `\n`,
 *   `\r`, `\"` and `\\`.
 * - These are refused: escapes that only some readers know; `$NAME`, `${…}` and `$(…)` outside of single quotes; a
 *   value that begins with `#` or a backtick; text after a closing quote; a quote that is not closed; a line without an
 *   equals sign.
 * @throws DotenvError
 */
export function parseDotenv(given: string): ReadonlyMap<string, string> {
  const text = given.replace(/\r\n?/g, '\n');
  const found = new Map<string, string>();
  for (let at = 0; at < text.length; ) {
    const rest = text.slice(at);
    const blank = BLANK.exec(rest);
    if (blank !== null) {
      at += blank[0].length;
      continue;
    }
    const refuse = (what: string) => new DotenvError(what, text.slice(0, at).split('\n').length);
    const assignment = ASSIGNMENT.exec(rest);
    if (assignment === null) throw refuse('a line that is not NAME=value');
    const [head, name = ''] = assignment;
    const { value, length } = readValue(rest.slice(head.length), refuse);
    found.set(name, value);
    at += head.length + length;
  }
  return found;
}

/** Reads the value at the beginning of `text`; `length` is the length of the value with the end of its line. */
function readValue(text: string, refuse: (what: string) => DotenvError): { value: string; length: number } {
  const quote = text[0] ?? '';
  if (quote === '"' || quote === "'") return quoted(text, quote, refuse);
  const [line = ''] = text.split('\n', 1);
  if (quote === '#' || quote === '`') throw refuse(`a value that begins with ${quote} (${USE_SINGLE_QUOTES})`);
  const value = line.replace(/\s#.*$/s, '').trimEnd();
  if (EXPANSION.test(value)) throw refuse(`a $ that some readers take for a variable (${USE_SINGLE_QUOTES})`);
  return { value, length: line.length + 1 };
}

function quoted(text: string, quote: '"' | "'", refuse: (what: string) => DotenvError) {
  const inside = quote === "'" ? /^'([^']*)'/ : /^"([^"\\]*(?:\\[\s\S][^"\\]*)*)"/;
  const found = inside.exec(text);
  if (found === null) throw refuse('a quote that is not closed');
  const [all, raw = ''] = found;
  const rest = AFTER_QUOTE.exec(text.slice(all.length));
  if (rest === null) throw refuse('text after a closing quote');
  return { value: quote === "'" ? single(raw, refuse) : double(raw, refuse), length: all.length + rest[0].length };
}

function single(raw: string, refuse: (what: string) => DotenvError): string {
  if (/\\(?:\\|$)/.test(raw)) throw refuse('a backslash before another, or before a single quote (use double quotes)');
  return raw;
}

function double(raw: string, refuse: (what: string) => DotenvError): string {
  if (EXPANSION.test(raw)) throw refuse(`a $ that some readers take for a variable (${USE_SINGLE_QUOTES})`);
  return raw.replace(/\\([\s\S])/g, (_, escaped: string) => {
    if (DISPUTED_ESCAPE.test(escaped)) throw refuse(`an escape that readers take differently (${USE_SINGLE_QUOTES})`);
    return ESCAPES[escaped] ?? `\\${escaped}`;
  });
}
