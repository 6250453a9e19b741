import type { Position } from '../../render/template/position.ts';
import type { SourceText } from '../source-text.ts';
import { HclSyntaxError } from './tree.ts';
import { unescapeHcl } from './unescape.ts';

export type HclToken =
  | { readonly kind: 'word' | 'number'; readonly text: string; readonly offset: number }
  | (HclText & { readonly kind: 'string'; readonly offset: number })
  | { readonly kind: '{' | '}' | '[' | ']' | '=' | ',' | 'end'; readonly offset: number };

/** A text as its quotes or its heredoc give it, see `HclString`. */
interface HclText {
  readonly text: string;
  readonly written?: string;
  readonly body?: { readonly line: number; readonly margin: number };
}

const WORD = /[\p{L}_][\p{L}\p{N}_.-]*/uy;
const NUMBER = /-?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)/y;
const HEREDOC = /<<(-?)([\p{L}\p{N}_]+)\r?\n/uy;

/** Reads the tokens of HCL 1, one at a time, in one pass over the text. */
export class HclLexer {
  readonly #source: SourceText;
  readonly #text: string;
  #offset = 0;

  constructor(source: SourceText) {
    this.#source = source;
    this.#text = source.text;
  }

  /** @throws HclSyntaxError */
  next(): HclToken {
    this.#skip();
    const offset = this.#offset;
    const char = this.#text[offset];
    if (char === undefined) return { kind: 'end', offset };
    if (char === '"') return { kind: 'string', ...this.#string(offset), offset };
    if (char === '<') return { kind: 'string', ...this.#heredoc(offset), offset };
    if (char === '{' || char === '}' || char === '[' || char === ']' || char === '=' || char === ',') {
      this.#offset++;
      return { kind: char, offset };
    }
    const word = this.#match(WORD);
    if (word !== undefined) return { kind: 'word', text: word, offset };
    const number = this.#match(NUMBER);
    if (number === undefined) throw this.#fault(`${named(char)} cannot stand here`, offset);
    if (/^-?0\d*[89]/.test(number)) throw this.#fault('a number that begins with 0 is octal, and has 8 or 9', offset);
    return { kind: 'number', text: number, offset };
  }

  at(offset: number): Position {
    return this.#source.at(offset);
  }

  /** White space and comments. */
  #skip(): void {
    const text = this.#text;
    for (;;) {
      const code = text.charCodeAt(this.#offset);
      if (code === 32 || (code >= 9 && code <= 13)) this.#offset++;
      else if (code === 35 || text.startsWith('//', this.#offset)) {
        const end = text.indexOf('\n', this.#offset);
        this.#offset = end === -1 ? text.length : end;
      } else if (text.startsWith('/*', this.#offset)) {
        const end = text.indexOf('*/', this.#offset + 2);
        if (end === -1) throw this.#fault('a comment begins here that has no */', this.#offset);
        this.#offset = end + 2;
      } else return;
    }
  }

  #match(shape: RegExp): string | undefined {
    shape.lastIndex = this.#offset;
    const found = shape.exec(this.#text)?.[0];
    if (found !== undefined) this.#offset += found.length;
    return found;
  }

  /** A text in quotes. Between `${` and its `}` quotes and line ends are plain characters. */
  #string(start: number): HclText {
    const text = this.#text;
    let depth = 0;
    for (let i = start + 1; i < text.length; i++) {
      const char = text[i];
      if (depth === 0) {
        if (char === '\\') i++;
        else if (char === '"') {
          this.#offset = i + 1;
          const written = text.slice(start + 1, i);
          const unescaped = unescapeHcl(written);
          if (unescaped === written) return { text: written };
          if (typeof unescaped === 'string') return { text: unescaped, written };
          throw this.#fault(unescaped.problem, start + 1 + unescaped.offset);
        } else if (char === '\n') break;
        else if (char === '$' && text[i + 1] === '{') {
          depth = 1;
          i++;
        }
      } else if (char === '{') depth++;
      else if (char === '}') depth--;
    }
    const why = depth > 0 ? 'a text begins here whose ${ has no }' : 'a text begins here that has no " on its line';
    throw this.#fault(why, start);
  }

  /**
   * `<<EOF` up to the line that is `EOF`. With `<<-EOF` the white space before this last line is taken off each line,
   * unless a line has less of it: then all lines stay as they are.
   */
  #heredoc(start: number): HclText {
    HEREDOC.lastIndex = start;
    const [head, dash, word] = HEREDOC.exec(this.#text) ?? [];
    if (head === undefined || word === undefined) {
      throw this.#fault('after << a word is expected, and a line end after it', start);
    }
    const begin = start + head.length;
    for (let line = begin; line < this.#text.length; ) {
      const found = this.#text.indexOf('\n', line);
      const end = found === -1 ? this.#text.length : found;
      const content = this.#text.slice(line, end);
      if (content.trim() === word && /^\s*\S+\r*$/.test(content)) {
        this.#offset = end;
        const margin = content.slice(0, content.indexOf(word));
        const body = this.#text.slice(begin, line);
        const text = dash === '-' ? unindent(body, margin) : body + margin;
        const isShorter = dash === '-' && text !== body;
        return { text, body: { line: this.#source.at(begin).line, margin: isShorter ? margin.length : 0 } };
      }
      line = end + 1;
    }
    throw this.#fault(`a text begins here that has no line ${word} at its end`, start);
  }

  #fault(seen: string, offset: number): HclSyntaxError {
    return new HclSyntaxError(seen, this.#source.at(offset));
  }
}

function unindent(body: string, margin: string): string {
  if (margin === '' || body === '') return body;
  const lines = body.slice(0, -1).split('\n');
  if (!lines.every((line) => line.startsWith(margin))) return body;
  return `${lines.map((line) => line.slice(margin.length)).join('\n')}\n`;
}

/** A character for a message. */
function named(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  return code < 32 || code === 127
    ? `the character U+${code.toString(16).padStart(4, '0').toUpperCase()}`
    : `"${char}"`;
}
