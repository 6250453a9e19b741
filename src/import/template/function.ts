import { type Expr, type GoValue, NotKept } from './expr.ts';
import type { WantedSecrets } from './wanted-secrets.ts';

/** What functions reach besides their arguments. */
export interface FunctionContext {
  readonly secrets: WantedSecrets;
  /** A value beside the template, by its source: `${env:NAME}` or `${file:PATH}`. @throws NotKept where none may be. */
  readonly input: (source: string, parts: readonly string[]) => Expr;
  /** Says that something comes out differently than before, without being lost. */
  readonly differs: (seen: string) => void;
}

/** A function of Go's or consul-template's language. A value from a pipeline is its last argument. @throws NotKept */
export type GoFunction = (args: readonly GoValue[], context: FunctionContext) => GoValue;

export const value = (expr: Expr): GoValue => ({ kind: 'expr', expr });

/** A function of plain values. @throws NotKept when it is called with another number of arguments. */
export function ofExprs(count: number | 'any', make: (...args: Expr[]) => Expr): GoFunction {
  return (args) => {
    if (count !== 'any' && args.length !== count) {
      throw new NotKept(`a function takes ${count} arguments and is called with ${args.length}`, 'Correct the call.');
    }
    return value(make(...args.map(toExpr)));
  };
}

/** A value as an expression. @throws NotKept for what has none, such as the whole answer of a secret. */
export function toExpr(given: GoValue): Expr {
  switch (given.kind) {
    case 'expr':
      return given.expr;
    case 'computed':
      if (given.part === 'data') return given.expr;
      break;
    case 'nothing':
      throw new NotKept('the dot stands outside of any block, where it is nothing', 'Name a secret.');
    case 'list':
      throw new NotKept('a list of values made in the template', 'Write its items one by one.');
    default:
  }
  throw new NotKept('the whole answer of a secret is used', 'Name the fields that are needed: .Data.data.password.');
}

/** The text of a literal. @throws NotKept */
export function literalText(given: GoValue | undefined, what: string): string {
  if (given?.kind === 'expr' && given.expr.kind === 'literal') return given.expr.text;
  throw new NotKept(`${what} is computed`, 'Write it in quotes.');
}

/** A function that has nothing like it here. */
export const notKept =
  (seen: string, todo: string): GoFunction =>
  () => {
    throw new NotKept(seen, todo);
  };
