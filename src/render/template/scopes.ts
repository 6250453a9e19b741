import { LOOP_WORDS, type LoopWord, type PathStart } from './nodes.ts';
import type { PathExpression } from './syntax-tree.ts';

/** An `each` or a `with` around the place that is being analysed. */
export interface Scope {
  readonly kind: 'each' | 'with';
  /** Names after `as |…|`. */
  readonly params: readonly string[];
}

/** What a path stands for, or why it cannot be resolved; `word` is the path as messages show it. */
export type Resolved =
  | { readonly start: PathStart; readonly head: string; readonly steps: readonly string[] }
  | { readonly problem: 'everything' | 'above the top' | 'outside of each' | 'unknown word'; readonly word: string };

const SCOPED = /^(?:\.{1,2}(?:[/.]|$)|this(?:[./]|$))/;

/** `this.x`, `./x`, `../x`: the path names its own scope, so it is neither a block parameter nor a helper. */
export const isScoped = (path: PathExpression): boolean => SCOPED.test(path.original);

/** Whether a path is a single name that may be a helper: no block parameter has it. */
export function isBareName(path: PathExpression, scopes: readonly Scope[]): boolean {
  if (path.data || path.depth > 0 || path.parts.length !== 1 || isScoped(path)) return false;
  return !scopes.some(({ params }) => params.includes(path.parts[0] as string));
}

/**
 * Works out where a path begins, by Handlebars' rules: at a block parameter, else in the innermost scope; each `../`
 * goes one scope out; `@root` and the outermost scope are the secrets. `if` and `unless` open no scope.
 */
export function resolvePath(path: PathExpression, scopes: readonly Scope[]): Resolved {
  const [first, ...rest] = path.parts;
  if (path.data) {
    if (first === 'root') return fromSecrets(rest, '@root');
    return resolveLoopWord(path, scopes);
  }
  if (path.depth === 0 && !isScoped(path) && first !== undefined) {
    for (let up = 0; up < scopes.length; up++) {
      const index = scopes[scopes.length - 1 - up]?.params.indexOf(first) ?? -1;
      if (index === 0) return { start: { from: 'item', up }, head: first, steps: rest };
      if (index === 1) return { start: { from: 'loop', up, what: 'key' }, head: first, steps: rest };
    }
  }
  if (path.depth > scopes.length) return { problem: 'above the top', word: path.original };
  const head = '../'.repeat(path.depth).slice(0, -1);
  if (path.depth === scopes.length) return fromSecrets(path.parts, head === '' ? path.original : head);
  return {
    start: { from: 'item', up: path.depth },
    head: first === undefined ? head || 'this' : head,
    steps: path.parts,
  };
}

function fromSecrets(parts: readonly string[], written: string): Resolved {
  const [name, ...steps] = parts;
  if (name === undefined) return { problem: 'everything', word: written };
  return { start: { from: 'secret', name }, head: name, steps };
}

/** `@index`, `@../key`: a variable of the innermost `each`, or of the `each` that `../` leads to. */
function resolveLoopWord(path: PathExpression, scopes: readonly Scope[]): Resolved {
  const word = `@${'../'.repeat(path.depth)}${path.parts.join('.')}`;
  const what = LOOP_WORDS.find((known) => known === path.parts[0]);
  if (what === undefined || path.parts.length > 1) return { problem: 'unknown word', word };
  let left = path.depth;
  for (let up = 0; up < scopes.length; up++) {
    if (scopes[scopes.length - 1 - up]?.kind === 'each' && left-- === 0) return loopWord(up, what, word);
  }
  return { problem: 'outside of each', word };
}

const loopWord = (up: number, what: LoopWord, head: string): Resolved => ({
  start: { from: 'loop', up, what },
  head,
  steps: [],
});

const PLAIN_STEP = /^[^\s!"#%-,./;->@[-^`{-~]+$/;

/** A path as a template writes it: `db.[my field]`, `app.hosts.[0]`. */
export function pathText(head: string, steps: readonly string[]): string {
  const parts = steps.map((step) => (PLAIN_STEP.test(step) && !/^\d/.test(step) ? step : `[${step}]`));
  if (head.endsWith('..') && parts.length > 0) return `${head}/${parts.join('.')}`;
  return (head === '' ? parts : [head, ...parts]).join('.');
}
