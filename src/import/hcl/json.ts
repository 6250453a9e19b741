import type { SourceText } from '../source-text.ts';
import { type HclItem, type HclObject, HclSyntaxError, type HclValue, MAX_DEPTH } from './tree.ts';

const SPACE = /[ \t\r\n]*/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON refuses control characters
const STRING = /"(?:[^"\\\0-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;

/** Parses JSON into the tree of HCL. @throws HclSyntaxError */
export function parseHclJson(source: SourceText): HclObject {
  return new JsonReader(source).file();
}

class JsonReader {
  readonly #source: SourceText;
  #offset = 0;
  #depth = 0;

  constructor(source: SourceText) {
    this.#source = source;
  }

  file(): HclObject {
    this.#match(SPACE);
    const object = this.#object();
    this.#match(SPACE);
    if (this.#offset < this.#source.text.length) throw this.#fault('the end of the file is expected after }');
    return object;
  }

  #value(): HclValue {
    this.#match(SPACE);
    const at = this.#source.at(this.#offset);
    const char = this.#source.text[this.#offset];
    if (char === '{') return this.#object();
    if (char === '[') return this.#list();
    if (char === '"') return { kind: 'string', value: this.#string(), at };
    const number = this.#match(NUMBER);
    if (number !== undefined) return { kind: 'number', text: number, at };
    const word = this.#match(WORD);
    if (word === undefined) throw this.#fault('a value is expected');
    return word === 'null' ? { kind: 'null', at } : { kind: 'bool', value: word === 'true', at };
  }

  #object(): HclObject {
    const at = this.#source.at(this.#offset);
    const items: HclItem[] = [];
    this.#each('}', () => {
      const keyAt = this.#source.at(this.#offset);
      if (this.#source.text[this.#offset] !== '"') throw this.#fault('a name in quotes is expected');
      const key = this.#string();
      this.#match(SPACE);
      if (this.#source.text[this.#offset] !== ':') throw this.#fault(': is expected after a name');
      this.#offset++;
      items.push({ key, labels: [], value: this.#value(), at: keyAt });
    });
    return { kind: 'object', items, isJson: true, at };
  }

  #list(): HclValue {
    const at = this.#source.at(this.#offset);
    const items: HclValue[] = [];
    this.#each(']', () => items.push(this.#value()));
    return { kind: 'list', items, at };
  }

  /** Takes the opening bracket, the parts between commas, and the closing one. */
  #each(closing: '}' | ']', take: () => void): void {
    if (++this.#depth > MAX_DEPTH) throw this.#fault(`more than ${MAX_DEPTH} maps or lists are in each other`);
    this.#offset++;
    this.#match(SPACE);
    for (let isFirst = true; this.#source.text[this.#offset] !== closing; isFirst = false) {
      if (!isFirst) {
        if (this.#source.text[this.#offset] !== ',') throw this.#fault(`, or ${closing} is expected`);
        this.#offset++;
        this.#match(SPACE);
      }
      take();
      this.#match(SPACE);
    }
    this.#offset++;
    this.#depth--;
  }

  #string(): string {
    const written = this.#match(STRING);
    if (written === undefined) throw this.#fault('a text begins here that has no " at its end, or a wrong escape');
    return JSON.parse(written) as string;
  }

  #match(shape: RegExp): string | undefined {
    shape.lastIndex = this.#offset;
    const found = shape.exec(this.#source.text)?.[0];
    this.#offset += found?.length ?? 0;
    return found;
  }

  #fault(seen: string): HclSyntaxError {
    const isEnd = this.#offset >= this.#source.text.length;
    return new HclSyntaxError(isEnd ? `${seen}: the file ends` : seen, this.#source.at(this.#offset));
  }
}
