import { isList, isSecret, type Value } from '../../base/value.ts';
import { type Evaluated, valueKind } from '../template/outcome.ts';

/** One helper: what it does, and the words and the example that docs/templates.md shows. */
export type Helper = HelperFacts &
  (
    | {
        /** Arguments are values; undefined says that nothing is there. @throws BadArgument */
        readonly apply: (args: readonly Value[], options: ReadonlyMap<string, Value>) => Value | undefined;
      }
    | {
        /** Arguments are worked out on demand, and may be missing. */
        readonly choose: (args: readonly (() => Evaluated)[]) => Evaluated;
      }
  );

interface HelperFacts {
  /** As it is called: `indent SPACES TEXT`. A word after the name is an argument, `PEM…` is one or more. */
  readonly usage: string;
  /** Options it takes as `name=value`. */
  readonly options?: readonly string[];
  /**
   * What an argument or an option must be, by its word or name. A literal in a template is held against it before there
   * is any value. @throws BadArgument
   */
  readonly checks?: Readonly<Record<string, (value: Value) => unknown>>;
  /** One or two sentences. */
  readonly does: string;
  /** A template and what it gives over the sample of docs/templates.md. */
  readonly example: readonly [template: string, gives: string];
}

/** The words of a helper's arguments, and whether the last stands for more than one. */
export function argumentsOf({ usage }: Helper): { readonly words: readonly string[]; readonly more: boolean } {
  const words = usage.split(' ').slice(1);
  return { words: words.map((word) => word.replace('…', '')), more: usage.endsWith('…') };
}

/** An argument that the helper cannot take; the interpreter adds the helper's name and the place. Never a value. */
export class BadArgument extends Error {}

/** An argument that is there. */
export function wantValue(value: Value | undefined): Value {
  if (value === undefined) throw new BadArgument('wants a value');
  return value;
}

/** An argument as text: a string, a number's source text, `true` or `false`. */
export function wantText(value: Value | undefined): string {
  if (!isSecret(value)) throw new BadArgument(`wants text, not ${value === undefined ? 'nothing' : valueKind(value)}`);
  if (value.type === 'null') throw new BadArgument('wants text, not null');
  if (value.type === 'bytes') throw new BadArgument('wants text, not bytes that are not UTF-8');
  return value.exposeText('file');
}

/** An argument as text that is not empty. */
export function wantSomeText(value: Value | undefined, what: string): string {
  const text = wantText(value);
  if (text === '') throw new BadArgument(`wants for ${what} a text that is not empty`);
  return text;
}

/** An argument as bytes: those of a text in UTF-8, or those that are not UTF-8. */
export function wantBytes(value: Value | undefined): Uint8Array {
  if (isSecret(value) && value.type === 'bytes') return value.exposeBytes('file');
  const text = wantText(value);
  if (!text.isWellFormed()) throw new BadArgument('wants text without half a surrogate pair');
  return Buffer.from(text, 'utf8');
}

/** An argument that is a list. */
export function wantList(value: Value | undefined): readonly Value[] {
  if (isList(value)) return value;
  throw new BadArgument(`wants a list first, not ${value === undefined ? 'nothing' : valueKind(value)}`);
}

/** An argument as one of a few words. */
export function wantOneOf<const Word extends string>(
  value: Value | undefined,
  what: string,
  words: readonly Word[],
): Word {
  const text = isSecret(value) && value.type === 'string' ? value.exposeText('file') : undefined;
  const word = words.find((known) => known === text);
  if (word === undefined) throw new BadArgument(`wants for ${what} one of ${words.join(', ')}`);
  return word;
}

/** An argument as a whole number of at most `most`. */
export function wantCount(value: Value | undefined, what: string, most: number): number {
  const text = isSecret(value) && value.type !== 'bytes' ? value.exposeText('file') : '';
  if (!/^\d{1,9}$/.test(text) || Number(text) > most) {
    throw new BadArgument(`wants for ${what} a whole number from 0 to ${most}`);
  }
  return Number(text);
}
