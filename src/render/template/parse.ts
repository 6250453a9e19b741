import { parseSimple } from './parse-simple.ts';
import type { Position } from './position.ts';
import type { Location, Program } from './syntax-tree.ts';

/** A template that does not parse. The message is Pannier's own, since the parser's message quotes the template. */
export class SyntaxFault extends Error {
  readonly at: Position;

  constructor(seen: string, at: Position) {
    super(seen);
    this.name = 'SyntaxFault';
    this.at = at;
  }
}

/**
 * Blocks and calls in each other. Handlebars copies what is open at each of its steps, so that what it takes for a
 * template grows with the depth; analysis and rendering recurse.
 */
const MAX_DEPTH = 100;

/**
 * Parses a template. The tree that it returns has whitespace control and standalone lines already applied.
 * @throws SyntaxFault
 */
export async function parseTemplate(source: string): Promise<Program> {
  return parseSimple(source) ?? (await parseByHandlebars(source));
}

/**
 * Parses a template by Handlebars, whose parser is loaded for the first one.
 * @throws SyntaxFault
 */
export async function parseByHandlebars(source: string): Promise<Program> {
  const { default: base } = await import('handlebars/dist/cjs/handlebars/compiler/base.js');
  const { parse, parser } = base;
  // An application that embeds Pannier may use the same parser object, so the handler is set only while parsing.
  const originalParseError = parser.parseError;
  const originalNext = parser.lexer.next;
  const depth = new Depth();
  parser.lexer.next = () => {
    const token = originalNext.call(parser.lexer);
    if (token !== undefined && depth.after(parser.terminals_[token] ?? '') > MAX_DEPTH) {
      const { first_line, first_column } = parser.lexer.yylloc;
      const at = { line: first_line, column: first_column + 1 };
      throw new SyntaxFault(`more than ${MAX_DEPTH} blocks or calls are nested`, at);
    }
    return token;
  };
  parser.parseError = (_message, met) => {
    const { first_line, first_column } = parser.lexer.yylloc;
    throw new SyntaxFault(syntaxProblem(met.token, met.expected), { line: first_line, column: first_column + 1 });
  };
  try {
    return parse(source) as Program;
  } catch (error) {
    throw error instanceof SyntaxFault ? error : foreignFault(error);
  } finally {
    parser.parseError = originalParseError;
    parser.lexer.next = originalNext;
  }
}

/** Counts what is open. Each `{{else if}}` is a block in the one before, and all of them close together. */
class Depth {
  readonly #blocks: number[] = [];
  #depth = 0;

  /** The depth after a token of this name. */
  after(token: string): number {
    if (token === 'OPEN_SEXPR') this.#depth++;
    else if (token === 'CLOSE_SEXPR') this.#depth--;
    else if (OPENS.has(token)) {
      this.#blocks.push(this.#depth);
      this.#depth++;
    } else if (token === 'OPEN_INVERSE_CHAIN') this.#depth++;
    else if (token === 'OPEN_ENDBLOCK' || token === 'END_RAW_BLOCK') this.#depth = this.#blocks.pop() ?? 0;
    return this.#depth;
  }
}

const OPENS: ReadonlySet<string> = new Set(['OPEN_BLOCK', 'OPEN_INVERSE', 'OPEN_PARTIAL_BLOCK', 'OPEN_RAW_BLOCK']);

/** The position of a node; columns count from 1 in it. */
export const atOf = ({ start }: Location): Position => ({ line: start.line, column: start.column + 1 });

/** Describes the token that the parser met, without a word of the template. */
function syntaxProblem(token: string, expected: readonly string[]): string {
  const expects = (name: string) => expected.includes(`'${name}'`);
  switch (token) {
    case 'EOF':
      return expects('OPEN_ENDBLOCK') ? 'a block is opened and not closed' : 'the template ends inside {{ }}';
    case 'INVALID':
      return 'a character cannot stand here, or {{ has no }}';
    case 'CLOSE':
    case 'CLOSE_UNESCAPED':
    case 'CLOSE_RAW_BLOCK':
      if (expects('CLOSE') || expects('CLOSE_UNESCAPED') || expects('CLOSE_RAW_BLOCK')) {
        return 'the opening and the closing braces differ in number';
      }
      return 'the braces close before the expression is complete';
    case 'NUMBER':
      return expects('ID') && expected.length === 1
        ? 'a number after a dot is written .[0]'
        : 'a number is out of place';
    case 'OPEN_ENDBLOCK':
      return 'a block is closed that was not opened';
    case 'INVERSE':
    case 'OPEN_INVERSE_CHAIN':
      return '{{else}} stands outside of a block';
    case 'OPEN_SEXPR':
    case 'CLOSE_SEXPR':
      return 'a parenthesis is out of place';
    case 'OPEN_BLOCK_PARAMS':
    case 'CLOSE_BLOCK_PARAMS':
      return 'block parameters are out of place';
    default:
      return 'the expression cannot be understood';
  }
}

/** Handlebars throws its own errors with a line and column. */
function foreignFault(error: unknown): SyntaxFault {
  const {
    lineNumber: line = 1,
    column = 0,
    message = '',
  } = error as Partial<Record<'lineNumber' | 'column', number>> & {
    message?: string;
  };
  const at = { line, column: column + 1 };
  if (message.startsWith('Invalid path')) return new SyntaxFault('this, . and .. stand only where a path begins', at);
  if (message.startsWith('Unexpected inverse')) return new SyntaxFault('{{else}} stands in a decorator', at);
  return new SyntaxFault('the block opened here is closed under another name', at);
}
