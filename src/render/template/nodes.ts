import type { Secret } from '../../base/secret.ts';
import type { PathRequests } from '../../config/sections/backends/path-requests.ts';
import type { Helper } from '../helpers/helper.ts';
import type { Position } from './position.ts';

/** A piece of a template after analysis: every name is resolved, only values are still unknown. A string is text. */
export type TemplateNode = string | Placeholder | IfBlock | EachBlock | WithBlock;

/** `{{…}}` */
export interface Placeholder {
  readonly kind: 'put';
  readonly expr: TemplateExpr;
  readonly at: Position;
}

/** `if`, or `unless` with its branches exchanged. Opens no scope. */
export interface IfBlock {
  readonly kind: 'if';
  readonly condition: TemplateExpr;
  readonly body: readonly TemplateNode[];
  readonly otherwise: readonly TemplateNode[];
}

/** `each`: opens a scope whose frame holds the item and its position in the loop. */
export interface EachBlock {
  readonly kind: 'each';
  readonly over: TemplateExpr;
  readonly body: readonly TemplateNode[];
  readonly otherwise: readonly TemplateNode[];
  readonly at: Position;
}

/** `with`: opens a scope whose frame holds the value. */
export interface WithBlock {
  readonly kind: 'with';
  readonly value: TemplateExpr;
  readonly body: readonly TemplateNode[];
  readonly otherwise: readonly TemplateNode[];
}

export type TemplateExpr = Literal | FieldPath | HelperCall | SecretCall;

export interface Literal {
  readonly kind: 'literal';
  readonly value: Secret;
}

/** A name such as `db.password`, `../x` or `@index`. */
export interface FieldPath {
  readonly kind: 'path';
  readonly start: PathStart;
  /** The beginning as the template writes it. With the steps it is what messages call the path. */
  readonly head: string;
  readonly steps: readonly string[];
  readonly at: Position;
  /** What to do when the first step is missing; absent: the hint of the code. */
  readonly hint?: string;
}

/** Where a path begins; `up` counts enclosing scopes (`each` and `with`), 0 for the innermost. */
export type PathStart =
  | { readonly from: 'secret'; readonly name: string }
  | { readonly from: 'item'; readonly up: number }
  /** The second block parameter of `each`, or a variable of the loop such as `@index`. */
  | { readonly from: 'loop'; readonly up: number; readonly what: LoopWord };

/** The variables of a loop, without their `@`. */
export type LoopWord = 'index' | 'key' | 'first' | 'last';
export const LOOP_WORDS: readonly LoopWord[] = ['index', 'key', 'first', 'last'];

/**
 * `(secret PATH …)` is the secret at a path, `(secrets PATH …)` the list of names below a path. The path is worked out
 * when the template is rendered.
 */
export interface SecretCall {
  readonly kind: 'secret-call';
  readonly what: 'secret' | 'secrets';
  /** The parts of the path, joined without anything between them. */
  readonly path: readonly TemplateExpr[];
  readonly backend: string;
  /** How often the secret is polled; absent: at the default interval. */
  readonly refreshMs?: number;
  /** Makes the request to the backend for a path. */
  readonly requests: PathRequests;
  /** All parts are literals, so messages may show the path; any other path may hold a value. */
  readonly isLiteral: boolean;
  readonly at: Position;
}

export interface HelperCall {
  readonly kind: 'call';
  readonly name: string;
  readonly helper: Helper;
  readonly args: readonly TemplateExpr[];
  readonly options: readonly (readonly [string, TemplateExpr])[];
  readonly at: Position;
}
