/** The part of Handlebars' syntax tree that Pannier reads. Columns count from 0 in it. */
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

/** `{{^if a}}…` has only an inverse. A raw block (`{{{{raw}}}}`) is recognised by its missing strip flags. */
export type Block = Call & {
  readonly type: 'BlockStatement';
  readonly program?: Program;
  readonly inverse?: Program;
  readonly openStrip: { readonly open?: boolean };
};

export interface PathExpression {
  readonly type: 'PathExpression';
  /** The path starts with `@`. */
  readonly data: boolean;
  /** The number of `../` at the beginning. */
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
