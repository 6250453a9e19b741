import type { Secret } from '../../base/secret.ts';
import type { PathRequests } from '../../config/sections/backends/path-requests.ts';
import type { Helper } from '../helpers/helper.ts';
import type { At } from './position.ts';

/** A template after analysis: every name is resolved to what it stands for, only values are still unknown. */
export type Node = string | Put | If | Each | With;

/** `{{…}}` */
export interface Put {
  readonly kind: 'put';
  readonly what: Expr;
  readonly at: At;
}

/** `if` and `unless` (with the branches changed over). Opens no scope. */
export interface If {
  readonly kind: 'if';
  readonly condition: Expr;
  readonly body: readonly Node[];
  readonly otherwise: readonly Node[];
}

/** Opens a scope whose frame holds the item and where in the loop it is. */
export interface Each {
  readonly kind: 'each';
  readonly over: Expr;
  readonly body: readonly Node[];
  readonly otherwise: readonly Node[];
  readonly at: At;
}

/** Opens a scope whose frame holds the value. */
export interface With {
  readonly kind: 'with';
  readonly value: Expr;
  readonly body: readonly Node[];
  readonly otherwise: readonly Node[];
}

export type Expr = Literal | Path | Call | Ask;

export interface Literal {
  readonly kind: 'literal';
  readonly value: Secret;
}

export interface Path {
  readonly kind: 'path';
  readonly start: Start;
  /** How the beginning is written; with the steps after it, what messages call the path. */
  readonly head: string;
  readonly steps: readonly string[];
  readonly at: At;
  /** What to do when the first step leads nowhere. */
  readonly hint?: string;
}

/** Where a path begins; `up` counts enclosing scopes (`each` and `with`), 0 for the innermost. */
export type Start =
  | { readonly from: 'secret'; readonly name: string }
  | { readonly from: 'item'; readonly up: number }
  /** Second block parameter of `each`, or one of `@index` and its kin. */
  | { readonly from: 'loop'; readonly up: number; readonly what: LoopWord };

export type LoopWord = 'index' | 'key' | 'first' | 'last';
export const LOOP_WORDS: readonly LoopWord[] = ['index', 'key', 'first', 'last'];

/** `(secret PATH …)` and `(secrets PATH …)`: a secret, or the names below a path, by a path worked out in rendering. */
export interface Ask {
  readonly kind: 'ask';
  readonly what: 'secret' | 'secrets';
  /** Joined without anything between them. */
  readonly path: readonly Expr[];
  readonly backend: string;
  /** How often it is asked; absent: as often as all that do not say it. */
  readonly refreshMs?: number;
  /** What the backend is asked at a path. */
  readonly requests: PathRequests;
  /** All parts are literals, so the path may be told; else it may hold a value. */
  readonly isLiteral: boolean;
  readonly at: At;
}

export interface Call {
  readonly kind: 'call';
  readonly name: string;
  readonly helper: Helper;
  readonly args: readonly Expr[];
  readonly options: readonly (readonly [string, Expr])[];
  readonly at: At;
}
