import { Secret } from './secret.ts';
import type { Value } from './value.ts';

/** Says where a text is not JSON, and quotes nothing of it, unlike the error of `JSON.parse`. */
export class JsonError extends Error {
  readonly offset: number;

  constructor(what: string, offset: number) {
    super(`${what} at offset ${offset}`);
    this.name = 'JsonError';
    this.offset = offset;
  }
}

const MAX_DEPTH = 200;

/** The longest slice of a string, in characters, that V8 copies. A longer one refers to the whole string. */
const MAX_COPY = 12;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** A whole string without escapes. One search costs less than a loop: a start reads each answer before it is hot. */
const PLAIN_STRING = /"[ !#-[\]-\uffff]*"/y;
const LITERALS: Readonly<Record<string, readonly [string, Secret]>> = {
  t: ['true', Secret.boolean(true)],
  f: ['false', Secret.boolean(false)],
  n: ['null', Secret.null()],
};

/**
 * RFC 8259 JSON to a `Value`: objects are Maps in source order (a repeated name keeps the last value, as JSON.parse
 * does), numbers keep their source text, every leaf is a `Secret` from the first moment.
 * @throws JsonError without any of the input; also past 200 levels of nesting.
 */
export function parseJson(text: string): Value {
  const reader = new JsonReader(text);
  return reader.document();
}

class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): Value {
    const value = this.#value(0);
    this.#space();
    if (this.#at < this.#text.length) throw this.#unexpected('text after the value');
    return value;
  }

  #value(depth: number): Value {
    if (depth > MAX_DEPTH) throw this.#unexpected('nesting too deep');
    this.#space();
    const first = this.#text[this.#at];
    if (first === '"') return Secret.text(this.#string());
    if (first === '{') return this.#object(depth);
    if (first === '[') return this.#array(depth);
    if (first === undefined) throw this.#unexpected('unexpected end');
    const literal = LITERALS[first];
    if (literal !== undefined && this.#text.startsWith(literal[0], this.#at)) {
      this.#at += literal[0].length;
      return literal[1];
    }
    const start = this.#at;
    NUMBER.lastIndex = start;
    if (!NUMBER.test(this.#text)) throw this.#unexpected('unexpected character');
    this.#at = NUMBER.lastIndex;
    const number = this.#text.slice(start, this.#at);
    return Secret.number(number.length <= MAX_COPY ? number : Buffer.from(number, 'latin1').toString('latin1'));
  }

  #object(depth: number): Value {
    const fields = new Map<string, Value>();
    this.#at++;
    if (this.#next('}')) return fields;
    do {
      this.#space();
      if (this.#text[this.#at] !== '"') throw this.#unexpected('expected a name');
      const name = this.#string();
      if (!this.#next(':')) throw this.#unexpected('expected ":"');
      fields.set(name, this.#value(depth + 1));
    } while (this.#next(','));
    if (!this.#next('}')) throw this.#unexpected('expected "," or "}"');
    return fields;
  }

  #array(depth: number): Value {
    const items: Value[] = [];
    this.#at++;
    if (this.#next(']')) return items;
    do items.push(this.#value(depth + 1));
    while (this.#next(','));
    if (!this.#next(']')) throw this.#unexpected('expected "," or "]"');
    return items;
  }

  /**
   * A short string is a slice up to the closing quote. A string with escapes goes through JSON.parse, and so does a
   * longer one: a slice of it would keep the whole text in memory, with all other secrets, for as long as it lives. The
   * loop finds the end of a string with escapes, or what is wrong with it.
   */
  #string(): string {
    const start = this.#at;
    PLAIN_STRING.lastIndex = start;
    if (PLAIN_STRING.test(this.#text)) {
      const end = PLAIN_STRING.lastIndex;
      this.#at = end;
      if (end - start - 2 <= MAX_COPY) return this.#text.slice(start + 1, end - 1);
      return JSON.parse(this.#text.slice(start, end)) as string;
    }
    for (let at = start + 1; at < this.#text.length; at++) {
      const code = this.#text.charCodeAt(at);
      if (code === 0x22) {
        this.#at = at + 1;
        try {
          return JSON.parse(this.#text.slice(start, at + 1)) as string;
        } catch {
          throw new JsonError('bad escape in a string', start);
        }
      }
      if (code === 0x5c) {
        at++;
      } else if (code < 0x20) throw new JsonError('control character in a string', at);
    }
    throw new JsonError('string without an end', start);
  }

  #next(wanted: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== wanted) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #unexpected(what: string): JsonError {
    return new JsonError(what, this.#at);
  }
}
