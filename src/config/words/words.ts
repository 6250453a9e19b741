/**
 * What people are told about one key of the configuration. `pannier explain`, the descriptions of the JSON Schema and
 * the tables of docs/configuration.md are made of it; no start loads it. Texts are Markdown of one line.
 */
export interface KeyWords {
  /** The kind of value. Absent: the key is not yet supported. */
  readonly type?: string;
  /** What holds without the key: a literal in backquotes, or words. Absent: nothing. */
  readonly default?: string;
  /** What the key is for. */
  readonly does: string;
  /** Values that it may have, the most usual first. */
  readonly examples?: readonly unknown[];
}

/** By key path, such as `outputs.NAME.reload[].signal`. */
export type Words = Readonly<Record<string, KeyWords>>;

/** The text without Markdown: "with `kv`: see [AWS](aws.md)" becomes "with kv: see AWS". */
export function plain(text: string): string {
  return text.replace(/\[([^\]]+)\]\([^)]+\)/g, '$1').replaceAll('`', '');
}

/** The default as a value, when it is a single literal; undefined when it is told in words. */
export function literalDefault({ default: words }: KeyWords): unknown {
  const [, literal] = /^`([^`]+)`$/.exec(words ?? '') ?? [];
  if (literal === undefined) return undefined;
  try {
    return JSON.parse(literal);
  } catch {
    return literal;
  }
}

/** An example for each key that is supported: one of its own, its default, or the first of the values it can have. */
export function exampleOf(words: KeyWords): unknown {
  if (words.examples !== undefined) return words.examples[0];
  if (words.type === 'boolean') return literalDefault(words) !== true;
  const value = literalDefault(words);
  if (value !== undefined) return value;
  return /^`([^`]+)`/.exec(words.type ?? '')?.[1];
}
