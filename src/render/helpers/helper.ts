import { isSecret, type Value } from '../../base/value.ts';
import { kindOf, type Outcome } from '../outcome.ts';

/** One helper: what it does, and the words and the example that docs/templates.md shows. */
export type Helper = HelperFacts &
  (
    | {
        /** Arguments are values; undefined says that nothing is there. @throws BadArgument */
        readonly apply: (args: readonly Value[], options: ReadonlyMap<string, Value>) => Value | undefined;
      }
    | {
        /** Arguments are worked out on demand, and may be missing. */
        readonly choose: (args: readonly (() => Outcome)[]) => Outcome;
      }
  );

interface HelperFacts {
  /** As it is called: `indent SPACES TEXT`. The number of words after the name is the number of arguments. */
  readonly usage: string;
  /** Options it takes as `name=value`. */
  readonly options?: readonly string[];
  /** One sentence. */
  readonly does: string;
  /** A template and what it gives over the sample of docs/templates.md. */
  readonly example: readonly [template: string, gives: string];
}

/** An argument that the helper cannot take; the interpreter adds the helper's name and the place. Never a value. */
export class BadArgument extends Error {}

/** An argument as text: a string, a number's source text, `true` or `false`. */
export function wantText(value: Value | undefined): string {
  if (!isSecret(value)) throw new BadArgument(`wants text, not ${value === undefined ? 'nothing' : kindOf(value)}`);
  if (value.type === 'null') throw new BadArgument('wants text, not null');
  if (value.type === 'bytes') throw new BadArgument('wants text, not bytes that are not UTF-8');
  return value.exposeText('file');
}

/** An argument as a whole number of at most `most`. */
export function wantCount(value: Value | undefined, what: string, most: number): number {
  const text = isSecret(value) && value.type !== 'bytes' ? value.exposeText('file') : '';
  if (!/^\d{1,9}$/.test(text) || Number(text) > most) {
    throw new BadArgument(`wants for ${what} a whole number from 0 to ${most}`);
  }
  return Number(text);
}
