import type { SourceText } from '../source-text.ts';
import { parseHclJson } from './json.ts';
import { HclLexer, type HclToken } from './lexer.ts';
import { type HclItem, type HclObject, HclSyntaxError, type HclValue, MAX_DEPTH } from './tree.ts';

/**
 * Parses HCL 1, or its JSON when the text begins with `{`, as HashiCorp's tools do.
 * @throws HclSyntaxError
 */
export function parseHcl(source: SourceText): HclObject {
  if (source.text.trimStart().startsWith('{')) return parseHclJson(source);
  return new HclParser(source).file();
}

class HclParser {
  readonly #lexer: HclLexer;
  #token: HclToken;
  #depth = 0;

  constructor(source: SourceText) {
    this.#lexer = new HclLexer(source);
    this.#token = this.#lexer.next();
  }

  file(): HclObject {
    const items = this.#items('end');
    return { kind: 'object', items, at: { line: 1, column: 1 } };
  }

  /** Items up to the closing token, which is not taken. A comma may stand after each. */
  #items(closing: '}' | 'end'): readonly HclItem[] {
    const items: HclItem[] = [];
    while (this.#token.kind !== closing) {
      if (this.#token.kind === 'end') throw this.#fault('} is missing: the file ends inside of a block');
      items.push(this.#item());
      if (this.#token.kind === ',') this.#next();
    }
    return items;
  }

  #item(): HclItem {
    const { offset } = this.#token;
    const keys: string[] = [];
    while (this.#token.kind === 'word' || this.#token.kind === 'string' || this.#token.kind === 'number') {
      keys.push(this.#token.text);
      this.#next();
    }
    const [key, ...labels] = keys;
    const at = this.#lexer.at(offset);
    if (key === undefined) throw this.#fault(`the name of a key or of a block is expected, not ${shown(this.#token)}`);
    if (this.#token.kind === '=') {
      if (labels.length > 0) throw this.#fault('before = there is one name: a block with labels has no =');
      this.#next();
      return { key, labels, value: this.#value(), at };
    }
    if (this.#token.kind === '{') return { key, labels, value: this.#object(), at };
    const wanted = labels.length > 0 ? '{' : '= or {';
    throw this.#fault(`${wanted} is expected after a name, not ${shown(this.#token)}`);
  }

  #value(): HclValue {
    const token = this.#token;
    const at = this.#lexer.at(token.offset);
    switch (token.kind) {
      case 'string':
        this.#next();
        return {
          kind: 'string',
          value: token.text,
          at,
          ...(token.written === undefined ? {} : { written: token.written }),
          ...(token.body === undefined ? {} : { body: token.body }),
        };
      case 'number':
        this.#next();
        return { kind: 'number', text: token.text, at };
      case 'word':
        if (token.text !== 'true' && token.text !== 'false') {
          throw this.#fault('a value is expected: a text has quotes around it');
        }
        this.#next();
        return { kind: 'bool', value: token.text === 'true', at };
      case '[':
        return this.#list();
      case '{':
        return this.#object();
      default:
        throw this.#fault(`a value is expected, not ${shown(token)}`);
    }
  }

  #object(): HclObject {
    const at = this.#lexer.at(this.#token.offset);
    this.#enter();
    const items = this.#items('}');
    this.#leave();
    return { kind: 'object', items, at };
  }

  #list(): HclValue {
    const at = this.#lexer.at(this.#token.offset);
    this.#enter();
    const items: HclValue[] = [];
    while (!this.#is(']')) {
      items.push(this.#value());
      if (this.#is(',')) this.#next();
      else if (!this.#is(']')) throw this.#fault(`, or ] is expected in a list, not ${shown(this.#token)}`);
    }
    this.#leave();
    return { kind: 'list', items, at };
  }

  #enter(): void {
    if (++this.#depth > MAX_DEPTH) throw this.#fault(`more than ${MAX_DEPTH} blocks or lists are in each other`);
    this.#next();
  }

  #leave(): void {
    this.#depth--;
    this.#next();
  }

  #is(kind: HclToken['kind']): boolean {
    return this.#token.kind === kind;
  }

  #next(): void {
    this.#token = this.#lexer.next();
  }

  #fault(seen: string): HclSyntaxError {
    return new HclSyntaxError(seen, this.#lexer.at(this.#token.offset));
  }
}

/** A token for a message, without a text that may be a secret. */
function shown({ kind }: HclToken): string {
  if (kind === 'end') return 'the end of the file';
  if (kind === 'string') return 'a text';
  return kind === 'number' || kind === 'word' ? `a ${kind}` : kind;
}
