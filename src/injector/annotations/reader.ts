import { parseDuration } from '../../base/duration.ts';
import { amountOf, exceeds } from '../pod/amount.ts';
import type { Wrong } from '../wrong.ts';

/** The name of a ConfigMap or a Secret: labels of DNS with dots. An object of another name cannot be there. */
export const OBJECT_NAME = /^[a-z0-9](?:-*[a-z0-9])*(?:\.[a-z0-9](?:-*[a-z0-9])*)*$/;
export const MAX_NAME = 253;

/** Reads the annotations of one prefix, and collects what is wrong with them, by their full names. */
export class AnnotationReader {
  readonly #all: ReadonlyMap<string, string>;
  readonly #prefix: string;
  readonly #wrong: Wrong[];

  /** @param all by their names without the prefix. */
  constructor(prefix: string, all: ReadonlyMap<string, string>, wrong: Wrong[]) {
    this.#prefix = prefix;
    this.#all = all;
    this.#wrong = wrong;
  }

  has(name: string): boolean {
    return this.#all.has(name);
  }

  is(name: string, value: string): boolean {
    return this.#all.get(name) === value;
  }

  /** Undefined when it is absent; an empty value is wrong. */
  text(name: string): string | undefined {
    const value = this.#all.get(name);
    if (value === undefined) return undefined;
    return value.trim() === '' ? this.wrong(name, 'is empty') : value;
  }

  /** The value, but undefined when it is empty too: the other injector takes an empty value for an absent one. */
  textOrNone(name: string): string | undefined {
    return this.#all.get(name)?.trim() === '' ? undefined : this.#all.get(name);
  }

  flag(name: string): boolean | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (/^(?:true|1|t)$/i.test(text)) return true;
    return /^(?:false|0|f)$/i.test(text) ? false : this.wrong(name, 'must be "true" or "false"');
  }

  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const text = this.text(name);
    const found = choices.find((one) => one === text);
    return text === undefined || found !== undefined ? found : this.wrong(name, `must be one of ${choices.join(', ')}`);
  }

  number(name: string, least: number, most: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    return number >= least && number <= most ? number : this.wrong(name, `must be a number from ${least} to ${most}`);
  }

  quantity(name: string): string | undefined {
    const text = this.textOrNone(name);
    if (text === undefined || amountOf(text) !== undefined) return text;
    return this.wrong(name, 'must be a quantity such as 100m or 64Mi');
  }

  /** A quantity that is a limit: for a volume Kubernetes takes 0 for none. */
  size(name: string): string | undefined {
    const quantity = this.quantity(name);
    return quantity === undefined || amountOf(quantity) !== 0 ? quantity : this.wrong(name, 'must be more than 0');
  }

  /** Tells of a request and a limit that do not go together. */
  checkLimit(request: string, limit: string): void {
    const [asked, most] = [this.textOrNone(request), this.textOrNone(limit)];
    if (asked === undefined || most === undefined || amountOf(most) === undefined) return;
    if (exceeds(asked, most)) this.wrong(request, `is more than ${this.#prefix}${limit}`);
  }

  /** Without the white space at its ends, which the API server refuses. */
  image(name: string): string | undefined {
    const text = this.text(name)?.trim();
    return text === undefined || !/\s/.test(text) ? text : this.wrong(name, 'must be the name of an image');
  }

  seconds(name: string, least: number, most: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const ms = parseDuration(text);
    if (ms !== undefined && ms >= least * 1000 && ms <= most * 1000) return Math.ceil(ms / 1000);
    return this.wrong(name, `must be a duration from ${least}s to ${most}s, such as 10m`);
  }

  /** The name of an object of Kubernetes. */
  objectName(name: string): string | undefined {
    return this.#asObjectName(name, this.text(name));
  }

  /** The same of the other injector, which takes an empty value for an absent one. */
  objectNameOrNone(name: string): string | undefined {
    return this.#asObjectName(name, this.textOrNone(name));
  }

  #asObjectName(name: string, text: string | undefined): string | undefined {
    if (text === undefined || (text.length <= MAX_NAME && OBJECT_NAME.test(text))) return text;
    return this.wrong(name, 'must be the name of an object');
  }

  /** Names with commas between them. */
  list(name: string): readonly string[] | undefined {
    const parts = this.text(name)
      ?.split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
    return parts?.length === 0 ? this.wrong(name, 'names nothing') : parts;
  }

  wrong(name: string, seen: string): undefined {
    this.#wrong.push({ where: `${this.#prefix}${name}`, seen });
    return undefined;
  }
}
