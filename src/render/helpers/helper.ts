import { isList, isSecret, type Value } from '../../base/value.ts';
import { type Evaluated, valueKind } from '../template/outcome.ts';

/** One helper: its implementation, and the description and example that docs/templates.md shows. */
export type Helper = HelperFacts &
  (
    | {
        /** Gets the values of its arguments. Returns undefined when it finds no value. @throws BadArgument */
        readonly apply: (args: readonly Value[], options: ReadonlyMap<string, Value>) => Value | undefined;
      }
    | {
        /** Gets functions that evaluate its arguments, so that it can leave one out, or take one that is missing. */
        readonly choose: (args: readonly (() => Evaluated)[]) => Evaluated;
      }
  );

interface HelperFacts {
  /** A call: `indent SPACES TEXT`. Each word after the name is an argument; `PEM…` is one argument or more. */
  readonly usage: string;
  /** Names of the options that it takes as `name=value`. */
  readonly options?: readonly string[];
  /**
   * Checks of single arguments and options, by their words and names. A literal in a template is checked before any
   * value is known. @throws BadArgument
   */
  readonly checks?: Readonly<Record<string, (value: Value) => unknown>>;
  /** Loads what the helper needs, before a template that calls it is rendered. */
  readonly load?: () => Promise<void>;
  /** One or two sentences about the result. */
  readonly does: string;
  /** A template, and its text with the sample secrets of docs/templates.md. */
  readonly example: readonly [template: string, gives: string];
}

/** The words of a helper's arguments, and whether the last one may be given several times. */
export function argumentsOf({ usage }: Helper): { readonly words: readonly string[]; readonly lastRepeats: boolean } {
  const words = usage.split(' ').slice(1);
  return { words: words.map((word) => word.replace('…', '')), lastRepeats: usage.endsWith('…') };
}

/**
 * A helper cannot take an argument. The message goes on after the helper's name, which the evaluation puts before it
 * with the place. It never holds a value.
 */
export class BadArgument extends Error {}

/** An argument of any kind. @throws BadArgument when it is not there. */
export function takeValue(value: Value | undefined): Value {
  if (value === undefined) throw new BadArgument('takes a value, not nothing');
  return value;
}

/** An argument as text: a string, a number's source text, `true` or `false`. @throws BadArgument */
export function takeText(value: Value | undefined): string {
  if (!isSecret(value)) throw new BadArgument(`takes text, not ${value === undefined ? 'nothing' : valueKind(value)}`);
  if (value.type === 'null') throw new BadArgument('takes text, not null');
  if (value.type === 'bytes') throw new BadArgument('takes text, not bytes that are not UTF-8');
  const text = value.exposeText('file');
  if (text.length > MAX_TEXT) throw new BadArgument('takes no text of more than 64 MiB');
  return text;
}

/** Texts that helpers make of each other may grow without an end of their own. */
const MAX_TEXT = 2 ** 26;

/** An argument as text that is not empty. @param word what messages call the argument. @throws BadArgument */
export function takeNonEmptyText(value: Value | undefined, word: string): string {
  const text = takeText(value);
  if (text === '') throw new BadArgument(`takes a text that is not empty as ${word}`);
  return text;
}

/** An argument as bytes: a text in UTF-8, or bytes that are not UTF-8 as they are. @throws BadArgument */
export function takeBytes(value: Value | undefined): Uint8Array {
  if (isSecret(value) && value.type === 'bytes') return value.exposeBytes('file');
  const text = takeText(value);
  if (!text.isWellFormed()) throw new BadArgument('takes text without half a surrogate pair');
  return Buffer.from(text, 'utf8');
}

/** The first argument, which is a list. @throws BadArgument */
export function takeList(value: Value | undefined): readonly Value[] {
  if (isList(value)) return value;
  throw new BadArgument(
    `takes a list as its first argument, not ${value === undefined ? 'nothing' : valueKind(value)}`,
  );
}

/** An argument that is one of a few choices. @param word what messages call the argument. @throws BadArgument */
export function takeOneOf<const Choice extends string>(
  value: Value | undefined,
  word: string,
  choices: readonly Choice[],
): Choice {
  const text = isSecret(value) && value.type === 'string' ? value.exposeText('file') : undefined;
  const chosen = choices.find((choice) => choice === text);
  if (chosen === undefined) throw new BadArgument(`takes one of ${choices.join(', ')} as ${word}`);
  return chosen;
}

/** Whether an option is there that is switched on by `true`. */
export const isOn = (option: Value | undefined): boolean =>
  isSecret(option) && option.type === 'boolean' && option.exposeText('file') === 'true';

/** An argument as a whole number. @param word what messages call the argument. @throws BadArgument */
export function takeCount(value: Value | undefined, word: string, max: number): number {
  const text = isSecret(value) && value.type !== 'bytes' ? value.exposeText('file') : '';
  if (!/^\d{1,9}$/.test(text) || Number(text) > max) {
    throw new BadArgument(`takes a whole number from 0 to ${max} as ${word}`);
  }
  return Number(text);
}
