import { type Expr, isConcat, NotKept } from './expr.ts';
import type { Out } from './out.ts';

/**
 * Notes an expression that is written: which fields of secrets it takes decides how the secrets are configured.
 * @throws NotKept for a text that no quotes can hold, since they have no escapes here.
 */
export function used(expr: Expr): Expr {
  if (expr.kind === 'secret') expr.secret.uses.add(expr.steps.join('\0'));
  if (expr.kind === 'call') expr.args.forEach(used);
  if (expr.kind === 'literal' && expr.type === 'text' && /\\(?:["']|$)/.test(expr.text)) {
    throw new NotKept(
      'a text with a backslash before a quote or at its end',
      'Write it beside the template: values: { x: … }.',
    );
  }
  return expr;
}

/** What is written for an expression: texts and tags side by side. @throws NotKept */
export function put(expr: Expr): readonly Out[] {
  if (isConcat(expr)) return expr.args.flatMap(put);
  if (expr.kind === 'literal') return [{ kind: 'text', text: expr.text }];
  return [{ kind: 'put', expr: used(expr) }];
}
