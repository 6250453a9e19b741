import type { HclItem, HclObject, HclValue } from '../hcl/tree.ts';
import type { Place } from '../problem.ts';
import { formatMs, goDuration } from './duration.ts';
import { type Expected, fits } from './expected.ts';

/** An item of a file, and which file it is. */
export interface FiledItem extends HclItem {
  readonly file: string;
}

/** A block with its label, if it has one. */
export interface Block {
  readonly label: string | undefined;
  readonly stanza: Stanza;
}

/**
 * One block of a configuration. What is read of it is remembered: the rest is looked up in the table of keys, so that
 * nothing is lost without a word.
 */
export class Stanza {
  readonly items: readonly FiledItem[];
  readonly place: Place;
  readonly read = new Set<string>();
  /** What was expected of each key that was read; of several, one has to fit. */
  readonly expected = new Map<string, Set<Expected>>();
  /** The keys of which the last block counts. */
  readonly single = new Set<string>();
  /** The blocks in it that were entered, by key. */
  readonly entered = new Map<string, readonly Block[]>();

  constructor(items: readonly FiledItem[], place: Place) {
    this.items = items;
    this.place = place;
  }

  has(key: string): boolean {
    return this.items.some((item) => item.key === key);
  }

  /** The last item of a key, which is the one that counts, and is taken as read. */
  item(key: string): FiledItem | undefined {
    const found = this.items.findLast((item) => item.key === key);
    if (found !== undefined) this.read.add(key);
    return found;
  }

  /** Takes everything in it as read: the whole block was told of. */
  skip(): void {
    for (const { key } of this.items) this.read.add(key);
  }

  #expect(key: string, expected: Expected): void {
    const all = this.expected.get(key) ?? new Set();
    this.expected.set(key, all.add(expected));
  }

  /** What is wrong with an item that was read: what it is, and what is expected there. */
  misfitOf({ key, value }: HclItem): string | undefined {
    const all = this.expected.get(key);
    return all === undefined ? undefined : fits(value, [...all]);
  }

  placeOf(key: string): Place {
    const found = this.items.findLast((item) => item.key === key);
    return found === undefined ? this.place : { file: found.file, ...found.at };
  }

  /** A value of a kind that the caller looks at, or of what is expected. */
  value(key: string, expected?: Expected): HclValue | undefined {
    if (expected !== undefined) this.#expect(key, expected);
    const found = this.item(key)?.value;
    return found?.kind === 'null' ? undefined : found;
  }

  /** A text; a number or boolean counts as its text. Undefined when it is not there, or something else. */
  text(key: string, expected: Expected = 'text'): string | undefined {
    return textOf(this.value(key, expected));
  }

  /** `true`, or a text that Go takes for it. */
  isTrue(key: string): boolean {
    return /^(?:1|t|T|TRUE|true|True)$/.test(this.text(key, 'boolean') ?? '');
  }

  /** A duration as Pannier writes it: `5m`. A bare number is seconds. 'odd' when it is none. */
  duration(key: string): string | 'odd' | undefined {
    const text = this.text(key, 'duration');
    if (text === undefined) return undefined;
    const ms = goDuration(text);
    return ms === undefined ? 'odd' : formatMs(ms);
  }

  texts(key: string): readonly string[] | undefined {
    const found = this.value(key, 'texts');
    if (found === undefined) return undefined;
    if (found.kind === 'list') return found.items.map((one) => textOf(one) ?? '');
    const text = textOf(found);
    return text === undefined ? undefined : [text];
  }

  /**
   * The blocks of a key, each time that it is there; `key = {…}` and JSON's lists of objects count as well.
   * @param labelled JSON writes labels as keys: `"listener": {"tcp": {…}}`.
   */
  blocks(key: string, labelled = false): readonly Block[] {
    this.#expect(key, 'block');
    const known = this.entered.get(key);
    if (known !== undefined) return known;
    const blocks: Block[] = [];
    for (const item of this.items) {
      if (item.key !== key) continue;
      this.read.add(key);
      for (const found of objectsIn(item.value)) {
        // A block begins at its name, an item of a list at its brace.
        const object = found === item.value ? { ...found, at: item.at } : found;
        const [label] = item.labels;
        const nested = labelled && label === undefined ? labelsIn(object) : undefined;
        if (nested === undefined) blocks.push({ label, stanza: stanzaOf(object, item.file) });
        else for (const [name, inner] of nested) blocks.push({ label: name, stanza: stanzaOf(inner, item.file) });
      }
    }
    this.entered.set(key, blocks);
    return blocks;
  }

  /** The last block of a key, which is the one that counts. */
  block(key: string, labelled = false): Block | undefined {
    this.single.add(key);
    return this.blocks(key, labelled).at(-1);
  }
}

export function stanzaOf({ items, at }: HclObject, file: string): Stanza {
  return new Stanza(
    items.map((item) => ({ ...item, file })),
    { file, ...at },
  );
}

function objectsIn(value: HclValue): readonly HclObject[] {
  if (value.kind === 'object') return [value];
  return value.kind === 'list' ? value.items.flatMap(objectsIn) : [];
}

/** The objects of an object that holds nothing else; undefined when it holds something else, or nothing. */
function labelsIn({ items, isJson }: HclObject): readonly (readonly [string, HclObject])[] | undefined {
  if (isJson !== true || items.some(({ key }) => key === 'config')) return undefined;
  if (items.length === 0 || !items.every(({ value, labels }) => labels.length === 0 && isBlock(value)))
    return undefined;
  return items.flatMap(({ key, value }) => objectsIn(value).map((object) => [key, object] as const));
}

const isBlock = (value: HclValue): boolean =>
  value.kind === 'object' || (value.kind === 'list' && value.items.length > 0 && value.items.every(isBlock));

function textOf(value: HclValue | undefined): string | undefined {
  if (value?.kind === 'string') return value.value;
  if (value?.kind === 'number') return value.text;
  return value?.kind === 'bool' ? String(value.value) : undefined;
}

/** A file mode as three octal digits: `0644` and 420 are numbers, `"0644"` and `"644"` are octal texts. */
export function modeOf(value: HclValue | undefined): string | 'odd' | undefined {
  if (value === undefined) return undefined;
  let mode = Number.NaN;
  if (value.kind === 'string' && /^(?:0o?)?[0-7]{1,4}$/.test(value.value)) {
    mode = Number.parseInt(value.value.replace('o', ''), 8);
  } else if (value.kind === 'number') {
    mode = /^0[0-7]+$/.test(value.text) ? Number.parseInt(value.text, 8) : Number(value.text);
  }
  return Number.isInteger(mode) && mode >= 0 && mode <= 0o777 ? `0${mode.toString(8).padStart(3, '0')}` : 'odd';
}
