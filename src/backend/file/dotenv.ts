/** Says where the text cannot be used, and nothing of it. */
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

/** A name and what follows its equals sign; `export` before it is for shells. */
const ASSIGNMENT = /^[^\S\n]*(?:export[^\S\n]+)?([A-Za-z_][\w.-]*)[^\S\n]*=[^\S\n]*/;
/** A line without anything, or with a comment alone. */
const NOTHING = /^[^\S\n]*(?:#[^\n]*)?(?:\n|$)/;
/** What may follow a closing quote. */
const REST = /^[^\S\n]*(?:(?<=\s)#[^\n]*)?(?:\n|$)/;
/** Some readers put the value of a variable there, others do not. */
const EXPANDED = /\$[\w{($]/;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', '"': '"', '\\': '\\' };
/** Escapes of some readers alone; before any other character a backslash is one. */
const MANIFOLD = /^[abftv'$`\n]$/;
const SINGLE = 'put the value in single quotes';

/**
 * The variables of a dotenv file, which has no standard. What most readers (dotenv libraries, shells, `docker
 * --env-file`) read alike is read so, and what they read differently is refused, since a wrong password is worse than
 * none:
 *
 * - `NAME=value`, perhaps with `export` and with spaces around the equals sign; of two values of a name the last
 *   counts.
 * - Without quotes: the text up to the end of the line or ` #`, without white space at its ends. A `#` within a word
 *   belongs to the value, quotes and backslashes in the middle do as well.
 * - In single quotes: as it stands, over several lines too. In double quotes: `\n`, `\r`, `\"` and `\\` are known.
 * - Refused: escapes that some readers alone have, `$NAME`, `${…}` and `$(…)` outside of single quotes, a value that
 *   begins with `#` or a
 *   backtick, text after a closing quote, a quote that is not closed, a line without an equals sign.
 * @throws DotenvError
 */
export function parseDotenv(given: string): ReadonlyMap<string, string> {
  const text = given.replace(/\r\n?/g, '\n');
  const found = new Map<string, string>();
  for (let at = 0; at < text.length; ) {
    const rest = text.slice(at);
    const nothing = NOTHING.exec(rest);
    if (nothing !== null) {
      at += nothing[0].length;
      continue;
    }
    const refuse = (what: string) => new DotenvError(what, text.slice(0, at).split('\n').length);
    const assignment = ASSIGNMENT.exec(rest);
    if (assignment === null) throw refuse('a line that is no NAME=value');
    const [head, name = ''] = assignment;
    const { value, length } = readValue(rest.slice(head.length), refuse);
    found.set(name, value);
    at += head.length + length;
  }
  return found;
}

/** A value, and how much of the text it takes with the end of its line. */
function readValue(text: string, refuse: (what: string) => DotenvError): { value: string; length: number } {
  const quote = text[0] ?? '';
  if (quote === '"' || quote === "'") return quoted(text, quote, refuse);
  const [line = ''] = text.split('\n', 1);
  if (quote === '#' || quote === '`') throw refuse(`a value that begins with ${quote} (${SINGLE})`);
  const value = line.replace(/\s#.*$/s, '').trimEnd();
  if (EXPANDED.test(value)) throw refuse(`a $ that stands for a variable to some readers (${SINGLE})`);
  return { value, length: line.length + 1 };
}

function quoted(text: string, quote: '"' | "'", refuse: (what: string) => DotenvError) {
  const inside = quote === "'" ? /^'([^']*)'/ : /^"([^"\\]*(?:\\[\s\S][^"\\]*)*)"/;
  const found = inside.exec(text);
  if (found === null) throw refuse('a quote that is not closed');
  const [all, raw = ''] = found;
  const rest = REST.exec(text.slice(all.length));
  if (rest === null) throw refuse('text after a closing quote');
  return { value: quote === "'" ? single(raw, refuse) : double(raw, refuse), length: all.length + rest[0].length };
}

function single(raw: string, refuse: (what: string) => DotenvError): string {
  if (/\\(?:\\|$)/.test(raw)) throw refuse('a backslash before another, or before a single quote (use double quotes)');
  return raw;
}

function double(raw: string, refuse: (what: string) => DotenvError): string {
  if (EXPANDED.test(raw)) throw refuse(`a $ that stands for a variable to some readers (${SINGLE})`);
  return raw.replace(/\\([\s\S])/g, (_, escaped: string) => {
    if (MANIFOLD.test(escaped)) throw refuse(`a backslash that readers take differently (${SINGLE})`);
    return ESCAPES[escaped] ?? `\\${escaped}`;
  });
}
