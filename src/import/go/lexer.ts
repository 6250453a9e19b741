import { GoSyntaxError, type Offset } from './nodes.ts';
import { unescapeGo } from './unescape.ts';

export type GoToken =
  | { readonly kind: 'text' | 'word' | 'field' | 'variable' | 'string' | 'number'; text: string; offset: Offset }
  | { readonly kind: 'open' | 'close' | 'space' | '|' | ',' | '(' | ')' | '.' | ':=' | '='; offset: Offset };

const SPACE = /[ \t\r\n]+/y;
const WORD = /[\p{L}_][\p{L}\p{Nd}_]*/uy;
const NAME = /[\p{L}\p{Nd}_]*/uy;
const NUMBER = /[+-]?(?:0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]+|0[bB][01_]+|(?:\d[\d_]*)?\.?\d[\d_]*(?:[eE][+-]?\d+)?\.?)i?/y;
const QUOTED = /"(?:[^"\\\n]|\\.)*"/y;
const CHAR = /'(?:[^'\\\n]|\\.)+'/y;

/**
 * The tokens of a Go template. Text beside `{{-` and `-}}` has lost its white space, and comments are gone.
 * @throws GoSyntaxError
 */
export function lexGo(text: string, left = '{{', right = '}}'): readonly GoToken[] {
  return new GoLexer(text, left, right).all();
}

class GoLexer {
  readonly #text: string;
  readonly #left: string;
  readonly #right: string;
  readonly #tokens: GoToken[] = [];
  #offset = 0;

  constructor(text: string, left: string, right: string) {
    this.#text = text;
    this.#left = left;
    this.#right = right;
  }

  all(): readonly GoToken[] {
    let isTrimmed = false;
    for (;;) {
      const open = this.#text.indexOf(this.#left, this.#offset);
      const end = open === -1 ? this.#text.length : open;
      const trimsBefore = open !== -1 && /^-[ \t\r\n]/.test(this.#text.slice(open + this.#left.length).slice(0, 2));
      let text = this.#text.slice(this.#offset, end);
      if (isTrimmed) text = text.replace(/^[ \t\r\n]+/, '');
      if (trimsBefore) text = text.replace(/[ \t\r\n]+$/, '');
      if (text !== '') this.#tokens.push({ kind: 'text', text, offset: this.#offset });
      if (open === -1) return this.#tokens;
      this.#offset = open + this.#left.length + (trimsBefore ? 2 : 0);
      isTrimmed = this.#comment(open) ?? this.#action(open);
    }
  }

  /** Whether text after a comment is trimmed; undefined when no comment stands here. */
  #comment(open: Offset): boolean | undefined {
    const text = this.#text;
    if (!text.startsWith('/*', this.#offset)) return undefined;
    const end = text.indexOf('*/', this.#offset);
    if (end === -1) throw new GoSyntaxError('a comment has no */', open);
    const after = end + 2;
    const trims = /^[ \t\r\n]-/.test(text.slice(after, after + 2)) && text.startsWith(this.#right, after + 2);
    const close = trims ? after + 2 : after;
    if (!text.startsWith(this.#right, close)) {
      throw new GoSyntaxError(`a comment does not end right before ${this.#right}`, open);
    }
    this.#offset = close + this.#right.length;
    return trims;
  }

  /** The tokens up to the right delimiter. Answers whether the text after it is trimmed. */
  #action(open: Offset): boolean {
    this.#tokens.push({ kind: 'open', offset: open });
    let depth = 0;
    for (;;) {
      const offset = this.#offset;
      const trims = this.#trimsAfter(offset);
      if (trims || this.#text.startsWith(this.#right, offset)) {
        if (depth > 0) throw new GoSyntaxError('a parenthesis is not closed', offset);
        this.#tokens.push({ kind: 'close', offset });
        this.#offset = offset + (trims ? 2 : 0) + this.#right.length;
        return trims;
      }
      const kind = this.#token(offset, open);
      if (kind === '(') depth++;
      if (kind === ')' && --depth < 0) throw new GoSyntaxError('a parenthesis is closed that was not opened', offset);
    }
  }

  #trimsAfter(offset: Offset): boolean {
    return /^[ \t\r\n]-/.test(this.#text.slice(offset, offset + 2)) && this.#text.startsWith(this.#right, offset + 2);
  }

  #token(offset: Offset, open: Offset): GoToken['kind'] {
    const char = this.#text[offset];
    if (char === undefined) throw new GoSyntaxError(`${this.#left} has no ${this.#right}`, open);
    if (this.#match(SPACE) !== undefined) {
      // White space before -}} is a part of it.
      if (this.#offset - offset > 1 && this.#trimsAfter(this.#offset - 1)) this.#offset--;
      return this.#push({ kind: 'space', offset });
    }
    if (char === '"') return this.#quoted(QUOTED, offset);
    if (char === "'") return this.#character(offset);
    if (char === '`') return this.#raw(offset);
    if (char === '.' && !/\d/.test(this.#text[offset + 1] ?? '')) {
      this.#offset++;
      const name = this.#match(NAME) ?? '';
      return this.#push(name === '' ? { kind: '.', offset } : { kind: 'field', text: name, offset });
    }
    if (char === '$') {
      this.#offset++;
      return this.#push({ kind: 'variable', text: this.#match(NAME) ?? '', offset });
    }
    if (this.#text.startsWith(':=', offset)) return this.#sign(':=', offset);
    if (char === '|' || char === ',' || char === '(' || char === ')' || char === '=') return this.#sign(char, offset);
    const number = this.#match(NUMBER);
    if (number !== undefined) return this.#push({ kind: 'number', text: number.replaceAll('_', ''), offset });
    const word = this.#match(WORD);
    if (word !== undefined) return this.#push({ kind: 'word', text: word, offset });
    throw new GoSyntaxError('a character cannot stand between the braces', offset);
  }

  #sign(kind: '|' | ',' | '(' | ')' | '=' | ':=', offset: Offset): GoToken['kind'] {
    this.#offset += kind.length;
    return this.#push({ kind, offset });
  }

  #quoted(shape: RegExp, offset: Offset): GoToken['kind'] {
    const written = this.#match(shape);
    const text = written === undefined ? undefined : unescapeGo(written.slice(1, -1));
    if (text === undefined) throw new GoSyntaxError('a text has no closing quote, or a wrong escape', offset);
    return this.#push({ kind: 'string', text, offset });
  }

  /** `'a'` is a number in Go. */
  #character(offset: Offset): GoToken['kind'] {
    const written = this.#match(CHAR);
    const text = written === undefined ? undefined : unescapeGo(written.slice(1, -1));
    if (text === undefined || [...text].length !== 1) {
      throw new GoSyntaxError('single quotes hold one character: a text has double quotes', offset);
    }
    return this.#push({ kind: 'number', text: String(text.codePointAt(0)), offset });
  }

  #raw(offset: Offset): GoToken['kind'] {
    const end = this.#text.indexOf('`', offset + 1);
    if (end === -1) throw new GoSyntaxError('a text in backticks has no end', offset);
    this.#offset = end + 1;
    return this.#push({ kind: 'string', text: this.#text.slice(offset + 1, end), offset });
  }

  #match(shape: RegExp): string | undefined {
    shape.lastIndex = this.#offset;
    const found = shape.exec(this.#text)?.[0];
    if (found === undefined || found === '') return undefined;
    this.#offset += found.length;
    return found;
  }

  #push(token: GoToken): GoToken['kind'] {
    this.#tokens.push(token);
    return token.kind;
  }
}
