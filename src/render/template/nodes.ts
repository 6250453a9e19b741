import type { Secret } from '../../base/secret.ts';
import type { PathRequests } from '../../config/sections/backends/path-requests.ts';
import type { Helper } from '../helpers/helper.ts';
import type { Position } from './position.ts';

/** A template after analysis: every name is resolved to what it stands for, only values are still unknown. */
export type TemplateNode = string | Placeholder | IfBlock | EachBlock | WithBlock;

/** `{{…}}` */
export interface Placeholder {
  readonly kind: 'put';
  readonly what: TemplateExpr;
  readonly at: Position;
}

/** `if` and `unless` (with the branches changed over). Opens no scope. */
export interface IfBlock {
  readonly kind: 'if';
  readonly condition: TemplateExpr;
  readonly body: readonly TemplateNode[];
  readonly otherwise: readonly TemplateNode[];
}

/** Opens a scope whose frame holds the item and where in the loop it is. */
export interface EachBlock {
  readonly kind: 'each';
  readonly over: TemplateExpr;
  readonly body: readonly TemplateNode[];
  readonly otherwise: readonly TemplateNode[];
  readonly at: Position;
}

/** Opens a scope whose frame holds the value. */
export interface WithBlock {
  readonly kind: 'with';
  readonly value: TemplateExpr;
  readonly body: readonly TemplateNode[];
  readonly otherwise: readonly TemplateNode[];
}

export type TemplateExpr = Literal | FieldPath | HelperCall | PathAsk;

export interface Literal {
  readonly kind: 'literal';
  readonly value: Secret;
}

export interface FieldPath {
  readonly kind: 'path';
  readonly start: PathStart;
  /** How the beginning is written; with the steps after it, what messages call the path. */
  readonly head: string;
  readonly steps: readonly string[];
  readonly at: Position;
  /** What to do when the first step leads nowhere. */
  readonly hint?: string;
}

/** Where a path begins; `up` counts enclosing scopes (`each` and `with`), 0 for the innermost. */
export type PathStart =
  | { readonly from: 'secret'; readonly name: string }
  | { readonly from: 'item'; readonly up: number }
  /** Second block parameter of `each`, or one of `@index` and its kin. */
  | { readonly from: 'loop'; readonly up: number; readonly what: LoopWord };

export type LoopWord = 'index' | 'key' | 'first' | 'last';
export const LOOP_WORDS: readonly LoopWord[] = ['index', 'key', 'first', 'last'];

/** `(secret PATH …)` and `(secrets PATH …)`: a secret, or the names below a path, by a path worked out in rendering. */
export interface PathAsk {
  readonly kind: 'ask';
  readonly what: 'secret' | 'secrets';
  /** Joined without anything between them. */
  readonly path: readonly TemplateExpr[];
  readonly backend: string;
  /** How often it is asked; absent: as often as all that do not say it. */
  readonly refreshMs?: number;
  /** What the backend is asked at a path. */
  readonly requests: PathRequests;
  /** All parts are literals, so the path may be told; else it may hold a value. */
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
