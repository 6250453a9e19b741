import { type GoToken, lexGo } from './lexer.ts';
import {
  type GoCommand,
  type GoNode,
  type GoOperand,
  type GoPipe,
  GoSyntaxError,
  type GoTemplate,
  type Offset,
} from './nodes.ts';

/** Blocks and parentheses in each other: reading them recurses. */
const MAX_DEPTH = 200;

/** Parses a Go template. @throws GoSyntaxError */
export function parseGo(text: string, left?: string, right?: string): GoTemplate {
  return new GoParser(lexGo(text, left || undefined, right || undefined), text.length).template();
}

/** A list of nodes, and the word that ended it: `end`, `else`, or undefined for the end of the text. */
interface Ended {
  readonly nodes: readonly GoNode[];
  readonly by: 'end' | 'else' | undefined;
  /** Where the word stands. */
  readonly offset: Offset;
}

class GoParser {
  readonly #tokens: readonly GoToken[];
  readonly #length: number;
  readonly #defined = new Map<string, readonly GoNode[]>();
  #index = 0;
  #depth = 0;
  #loops = 0;

  constructor(tokens: readonly GoToken[], length: number) {
    this.#tokens = tokens;
    this.#length = length;
  }

  template(): GoTemplate {
    const { nodes, by, offset } = this.#list();
    if (by !== undefined) throw new GoSyntaxError(`{{ ${by} }} stands outside of a block`, offset);
    return { nodes, defined: this.#defined };
  }

  #list(): Ended {
    const nodes: GoNode[] = [];
    for (;;) {
      const token = this.#tokens[this.#index];
      if (token === undefined) return { nodes, by: undefined, offset: this.#length };
      this.#index++;
      if (token.kind === 'text') {
        nodes.push({ kind: 'text', text: token.text });
        continue;
      }
      const { offset } = token;
      this.#space();
      const word = this.#peek();
      const keyword = word?.kind === 'word' ? word.text : undefined;
      if (keyword === 'end' || keyword === 'else') {
        this.#index++;
        if (keyword === 'end') this.#close();
        return { nodes, by: keyword, offset: word?.offset ?? offset };
      }
      nodes.push(...this.#action(keyword, offset));
    }
  }

  #action(keyword: string | undefined, offset: Offset): readonly GoNode[] {
    switch (keyword) {
      case 'if':
      case 'with':
      case 'range':
        this.#index++;
        return [this.#branch(keyword, offset)];
      case 'define': {
        this.#index++;
        const name = this.#name('define');
        this.#close();
        this.#defined.set(name, this.#body(offset));
        return [];
      }
      case 'block': {
        this.#index++;
        const name = this.#name('block');
        const pipe = this.#pipe();
        this.#close();
        this.#defined.set(name, this.#body(offset));
        return [{ kind: 'template', name, pipe, offset }];
      }
      case 'template': {
        this.#index++;
        const name = this.#name('template');
        this.#space();
        const pipe = this.#peek()?.kind === 'close' ? undefined : this.#pipe();
        this.#close();
        return [{ kind: 'template', name, pipe, offset }];
      }
      case 'break':
      case 'continue':
        this.#index++;
        this.#close();
        if (this.#loops === 0) throw new GoSyntaxError(`{{ ${keyword} }} stands outside of range`, offset);
        return [{ kind: keyword, offset }];
      default: {
        const pipe = this.#pipe();
        this.#close();
        return [{ kind: 'action', pipe, offset }];
      }
    }
  }

  #branch(kind: 'if' | 'with' | 'range', offset: Offset): GoNode {
    this.#enter();
    const pipe = this.#pipe(kind === 'range');
    this.#close();
    if (kind === 'range') this.#loops++;
    const { nodes: body, by } = this.#list();
    if (kind === 'range') this.#loops--;
    if (by === undefined) throw new GoSyntaxError(`{{ ${kind} }} has no {{ end }}`, offset);
    const otherwise = by === 'else' ? this.#else(kind, offset) : [];
    this.#depth--;
    return { kind, pipe, body, otherwise, offset };
  }

  /** What follows `{{ else`: `if …`, `with …`, or a body up to `{{ end }}`. */
  #else(kind: string, offset: Offset): readonly GoNode[] {
    this.#space();
    const word = this.#peek();
    if (word?.kind === 'word' && (word.text === 'if' || word.text === 'with')) {
      this.#index++;
      return [this.#branch(word.text, word.offset)];
    }
    this.#close();
    const { nodes, by, offset: at } = this.#list();
    if (by === 'else') throw new GoSyntaxError('a second {{ else }} stands in a block', at);
    if (by === undefined) throw new GoSyntaxError(`{{ ${kind} }} has no {{ end }}`, offset);
    return nodes;
  }

  #body(offset: Offset): readonly GoNode[] {
    this.#enter();
    const { nodes, by } = this.#list();
    if (by !== 'end') throw new GoSyntaxError('a template is defined that has no {{ end }}', offset);
    this.#depth--;
    return nodes;
  }

  #pipe(isRange = false): GoPipe {
    this.#space();
    const offset = this.#here();
    const { declared, isAssignment } = this.#declaration(isRange);
    const commands: GoCommand[] = [];
    for (;;) {
      commands.push(this.#command());
      this.#space();
      if (this.#peek()?.kind !== '|') return { declared, isAssignment, commands, offset };
      this.#index++;
    }
  }

  /** `$x :=`, `$k, $v :=`, `$x =`; nothing is taken when none stands here. */
  #declaration(isRange: boolean): Pick<GoPipe, 'declared' | 'isAssignment'> {
    const start = this.#index;
    const declared: string[] = [];
    for (;;) {
      const token = this.#peek();
      if (token?.kind !== 'variable') break;
      this.#index++;
      this.#space();
      declared.push(token.text);
      const next = this.#peek();
      if (next?.kind === ':=' || next?.kind === '=') {
        this.#index++;
        return { declared, isAssignment: next.kind === '=' };
      }
      if (next?.kind !== ',' || !isRange || declared.length > 1) break;
      this.#index++;
      this.#space();
    }
    this.#index = start;
    return { declared: [], isAssignment: false };
  }

  #command(): GoCommand {
    this.#space();
    const offset = this.#here();
    const words: GoOperand[] = [];
    for (;;) {
      words.push(this.#operand());
      const hadSpace = this.#space();
      const next = this.#peek()?.kind;
      if (next === '|' || next === ')' || next === 'close' || next === undefined) return { words, offset };
      if (!hadSpace) throw this.#fault('a space is expected between two arguments');
    }
  }

  #operand(): GoOperand {
    const token = this.#peek();
    const offset = this.#here();
    if (token === undefined || token.kind === 'close') throw this.#fault('a value or a function is expected');
    this.#index++;
    switch (token.kind) {
      case 'word':
        if (token.text === 'true' || token.text === 'false')
          return { kind: 'bool', value: token.text === 'true', offset };
        if (token.text === 'nil') return { kind: 'nil', offset };
        return { kind: 'function', name: token.text, names: this.#fields(), offset };
      case '.':
        return { kind: 'dot', offset };
      case 'field':
        return { kind: 'field', names: [token.text, ...this.#fields()], offset };
      case 'variable':
        return { kind: 'variable', name: token.text, names: this.#fields(), offset };
      case 'string':
        return { kind: 'string', value: token.text, offset };
      case 'number':
        return { kind: 'number', text: token.text, offset };
      case '(': {
        this.#enter();
        const pipe = this.#pipe();
        this.#space();
        if (this.#peek()?.kind !== ')') throw this.#fault(') is expected');
        this.#index++;
        this.#depth--;
        return { kind: 'pipe', pipe, names: this.#fields(), offset };
      }
      default:
        throw this.#fault('a value or a function is expected', -1);
    }
  }

  /** `.a.b` right behind a value. */
  #fields(): readonly string[] {
    const names: string[] = [];
    for (let token = this.#peek(); token?.kind === 'field'; token = this.#peek()) {
      names.push(token.text);
      this.#index++;
    }
    return names;
  }

  #name(word: string): string {
    this.#space();
    const token = this.#peek();
    if (token?.kind !== 'string') throw this.#fault(`a name in quotes is expected after ${word}`);
    this.#index++;
    return token.text;
  }

  #close(): void {
    this.#space();
    if (this.#peek()?.kind !== 'close') throw this.#fault('the end of the braces is expected');
    this.#index++;
  }

  #space(): boolean {
    if (this.#peek()?.kind !== 'space') return false;
    this.#index++;
    return true;
  }

  #enter(): void {
    if (++this.#depth > MAX_DEPTH) throw this.#fault(`more than ${MAX_DEPTH} blocks or parentheses are in each other`);
  }

  #peek(): GoToken | undefined {
    return this.#tokens[this.#index];
  }

  #here(shift = 0): Offset {
    return this.#tokens[this.#index + shift]?.offset ?? this.#length;
  }

  #fault(seen: string, shift = 0): GoSyntaxError {
    return new GoSyntaxError(seen, this.#here(shift));
  }
}
