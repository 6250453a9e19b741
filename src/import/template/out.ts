import type { Expr } from './expr.ts';

/** A piece of the template that is written. */
export type Out = OutText | OutPut | OutBlock | OutComment;

export interface OutText {
  readonly kind: 'text';
  readonly text: string;
}

export interface OutPut {
  readonly kind: 'put';
  readonly expr: Expr;
}

/** `#if`, `#unless`, `#each` or `#with`; the latter two name what they enter. */
export interface OutBlock {
  readonly kind: 'block';
  readonly word: 'if' | 'unless' | 'each' | 'with';
  readonly expr: Expr;
  readonly params: readonly string[];
  readonly body: readonly Out[];
  readonly otherwise: readonly Out[];
}

/** Says that something of the Go template is missing here, by a tag that no configuration is valid with. */
export interface OutComment {
  readonly kind: 'comment';
  readonly text: string;
}

/** Texts that meet become one, and empty ones go. */
export function joined(parts: readonly Out[]): readonly Out[] {
  const made: Out[] = [];
  for (const part of parts) {
    const last = made.at(-1);
    if (part.kind === 'text' && part.text === '') continue;
    if (part.kind === 'text' && last?.kind === 'text') made[made.length - 1] = { ...last, text: last.text + part.text };
    else made.push(part);
  }
  return made;
}
