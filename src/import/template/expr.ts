import type { WantedSecret } from './wanted-secrets.ts';

/** An expression of the template that is written. A secret gets its name and its request when all are known. */
export type Expr = LiteralExpr | SecretExpr | LocalExpr | InputExpr | CallExpr;

export interface LiteralExpr {
  readonly kind: 'literal';
  readonly type: 'text' | 'number' | 'bool';
  readonly text: string;
}

/** A field below `.Data` of an answer; the steps are those of the Go template. */
export interface SecretExpr {
  readonly kind: 'secret';
  readonly secret: WantedSecret;
  readonly steps: readonly string[];
}

/** A block parameter of `each` or `with`, and steps into it. */
export interface LocalExpr {
  readonly kind: 'local';
  readonly name: string;
  readonly steps: readonly string[];
}

/** A value that stands beside the template: a variable of the environment, or the text of a file. */
export interface InputExpr {
  readonly kind: 'input';
  readonly name: string;
  /** `${env:NAME}` or `${file:PATH}`. */
  readonly source: string;
}

export interface CallExpr {
  readonly kind: 'call';
  readonly helper: string;
  readonly args: readonly Expr[];
  readonly options: Readonly<Record<string, string | number | boolean>>;
}

/** What an expression of the Go template stands for. */
export type GoValue =
  | { readonly kind: 'expr'; readonly expr: Expr }
  /** The answer of `secret` for a path that is known. */
  | { readonly kind: 'answer'; readonly secret: WantedSecret }
  /** The answer for a computed path, and its `.Data`: `expr` stands for the fields. */
  | { readonly kind: 'computed'; readonly part: 'answer' | 'data'; readonly expr: Expr }
  /** The answer of `pkiCert`. */
  | { readonly kind: 'pki'; readonly secret: WantedSecret }
  | { readonly kind: 'list'; readonly items: readonly GoValue[] }
  /** The dot outside of any block. */
  | { readonly kind: 'nothing' };

export const literal = (text: string): LiteralExpr => ({ kind: 'literal', type: 'text', text });
export const numberLiteral = (text: string): LiteralExpr => ({ kind: 'literal', type: 'number', text });
export const boolLiteral = (value: boolean): LiteralExpr => ({ kind: 'literal', type: 'bool', text: String(value) });

/** A call of a helper. @throws NotKept when what is written of it would be too long, or its calls too deep. */
export function call(helper: string, args: readonly Expr[], options: CallExpr['options'] = {}): CallExpr {
  if (args.length > MAX_ARGUMENTS) throw tooLong();
  const made: CallExpr = { kind: 'call', helper, args, options };
  const inner = args.map(extentOf);
  const extent = {
    length: inner.reduce((sum, { length }) => sum + length, 1),
    depth: Math.max(0, ...inner.map(({ depth }) => depth)) + 1,
  };
  if (extent.length > MAX_LENGTH || extent.depth > MAX_DEPTH) throw tooLong();
  extents.set(made, extent);
  return made;
}

/** How long an expression is, and how many calls are in each other. */
interface Extent {
  readonly length: number;
  readonly depth: number;
}

/** A variable is written out where it is used, so that one that doubles itself would fill the memory in a few lines. */
const MAX_LENGTH = 2 ** 20;
const MAX_DEPTH = 90;
const MAX_ARGUMENTS = 10_000;
const extents = new WeakMap<Expr, Extent>();

function extentOf(expr: Expr): Extent {
  if (expr.kind === 'call') return extents.get(expr) ?? { length: 1, depth: 1 };
  return { length: expr.kind === 'literal' ? expr.text.length + 1 : 1, depth: 0 };
}

const tooLong = () => new NotKept('an expression is too long when it is written out', 'Split it.');

/** A text of a template may be a whole file. */
const MAX_LITERAL = 2 ** 20;

/** The texts side by side; literals that meet become one. */
export function concat(parts: readonly Expr[]): Expr {
  const flat: Expr[] = [];
  for (const part of parts.flatMap((one) => (isConcat(one) ? one.args : [one]))) {
    const last = flat.at(-1);
    if (part.kind === 'literal' && last?.kind === 'literal') {
      if (last.text.length + part.text.length > MAX_LITERAL) throw tooLong();
      flat[flat.length - 1] = literal(last.text + part.text);
    } else if (part.kind !== 'literal' || part.text !== '') flat.push(part);
  }
  const [only, ...others] = flat;
  if (only === undefined) return literal('');
  return others.length === 0 && only.kind === 'literal' ? literal(only.text) : call('concat', flat);
}

export const isConcat = (expr: Expr): expr is CallExpr & { helper: 'concat' } =>
  expr.kind === 'call' && expr.helper === 'concat';

/** A step into a value. */
export function step(expr: Expr, name: string): Expr {
  if (expr.kind === 'secret' || expr.kind === 'local') return { ...expr, steps: [...expr.steps, name] };
  return call('lookup', [expr, literal(name)]);
}

/** Something in the Go template that cannot be kept; `todo` says what to do about it. */
export class NotKept extends Error {
  readonly todo: string;
  /** Where, when it is not where the statement begins. */
  readonly offset: number | undefined;

  constructor(seen: string, todo: string, offset?: number) {
    super(seen);
    this.name = 'NotKept';
    this.todo = todo;
    this.offset = offset;
  }
}
