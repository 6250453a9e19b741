import type { Position } from './position.ts';

/** Handlebars' syntax tree, as far as we read it. Columns count from 0 here. */
export interface Program {
  readonly body: readonly Statement[];
  readonly blockParams?: readonly string[];
}

export type Statement =
  | { readonly type: 'ContentStatement'; readonly value: string }
  | { readonly type: 'CommentStatement' }
  | Mustache
  | Block
  | { readonly type: RefusedStatement; readonly loc: Location };

export type RefusedStatement = 'PartialStatement' | 'PartialBlockStatement' | 'Decorator' | 'DecoratorBlock';

interface Call {
  readonly path: Expression;
  readonly params: readonly Expression[];
  readonly hash?: { readonly pairs: readonly { readonly key: string; readonly value: Expression }[] };
  readonly loc: Location;
}
export type Mustache = Call & { readonly type: 'MustacheStatement' };
export type SubExpression = Call & { readonly type: 'SubExpression' };

/** `{{^if a}}…` has an inverse only. A raw block (`{{{{raw}}}}`) has no strip flags: that is how to tell it. */
export type Block = Call & {
  readonly type: 'BlockStatement';
  readonly program?: Program;
  readonly inverse?: Program;
  readonly openStrip: { readonly open?: boolean };
};

export interface PathExpression {
  readonly type: 'PathExpression';
  /** Starts with `@`. */
  readonly data: boolean;
  /** How many `../`. */
  readonly depth: number;
  readonly parts: readonly string[];
  readonly original: string;
  readonly loc: Location;
}

export type Expression =
  | PathExpression
  | SubExpression
  | { readonly type: 'StringLiteral'; readonly value: string; readonly loc: Location }
  | { readonly type: 'NumberLiteral'; readonly value: number; readonly loc: Location }
  | { readonly type: 'BooleanLiteral'; readonly value: boolean; readonly loc: Location }
  | { readonly type: 'NullLiteral' | 'UndefinedLiteral'; readonly loc: Location };

export interface Location {
  readonly start: { readonly line: number; readonly column: number };
  readonly end: { readonly line: number; readonly column: number };
}

/** A template that does not parse, in our words: the parser's own text quotes the template. */
export class SyntaxFault extends Error {
  readonly at: Position;

  constructor(seen: string, at: Position) {
    super(seen);
    this.name = 'SyntaxFault';
    this.at = at;
  }
}

/**
 * Parses a template; whitespace control and standalone lines are already applied in what comes back. The parser is
 * loaded on the first template that holds a mustache.
 * @throws SyntaxFault
 */
export async function parseTemplate(source: string): Promise<Program> {
  if (!source.includes('{{')) return { body: [{ type: 'ContentStatement', value: source }] };
  const { default: base } = await import('handlebars/dist/cjs/handlebars/compiler/base.js');
  const { parse, parser } = base;
  // The parser object may be shared with an application that embeds us: ours only while we parse.
  const theirs = parser.parseError;
  parser.parseError = (_message, met) => {
    const { first_line, first_column } = parser.lexer.yylloc;
    throw new SyntaxFault(inOurWords(met.token, met.expected), { line: first_line, column: first_column + 1 });
  };
  try {
    return parse(source) as Program;
  } catch (error) {
    throw error instanceof SyntaxFault ? error : foreignFault(error);
  } finally {
    parser.parseError = theirs;
  }
}

export const atOf = ({ start }: Location): Position => ({ line: start.line, column: start.column + 1 });

function inOurWords(token: string, expected: readonly string[]): string {
  const wants = (name: string) => expected.includes(`'${name}'`);
  switch (token) {
    case 'EOF':
      return wants('OPEN_ENDBLOCK') ? 'a block is opened and not closed' : 'the template ends inside {{ }}';
    case 'INVALID':
      return 'a character that cannot stand there, or {{ without }}';
    case 'CLOSE':
    case 'CLOSE_UNESCAPED':
    case 'CLOSE_RAW_BLOCK':
      if (wants('CLOSE') || wants('CLOSE_UNESCAPED') || wants('CLOSE_RAW_BLOCK')) {
        return 'the opening and the closing braces differ in number';
      }
      return 'the braces close before the expression is complete';
    case 'NUMBER':
      return wants('ID') && expected.length === 1 ? 'a number after a dot is written .[0]' : 'a number out of place';
    case 'OPEN_ENDBLOCK':
      return 'a block is closed that is not open';
    case 'INVERSE':
    case 'OPEN_INVERSE_CHAIN':
      return 'an else outside of a block';
    case 'OPEN_SEXPR':
    case 'CLOSE_SEXPR':
      return 'a parenthesis out of place';
    case 'OPEN_BLOCK_PARAMS':
    case 'CLOSE_BLOCK_PARAMS':
      return 'block parameters out of place';
    default:
      return 'an expression that is not understood';
  }
}

/** The parser's actions throw a class of their own, with a place; anything else is a template nested out of reason. */
function foreignFault(error: unknown): SyntaxFault {
  const {
    lineNumber: line = 1,
    column = 0,
    message = '',
  } = error as Partial<Record<'lineNumber' | 'column', number>> & {
    message?: string;
  };
  const at = { line, column: column + 1 };
  if (error instanceof RangeError) return new SyntaxFault('blocks are nested too deep', at);
  if (message.startsWith('Invalid path')) return new SyntaxFault('this, . and .. stand only where a path begins', at);
  if (message.startsWith('Unexpected inverse')) return new SyntaxFault('an else in a decorator', at);
  return new SyntaxFault('the block opened here is closed under another name', at);
}
