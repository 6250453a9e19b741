import { isFields, isList, isSecret, type Value } from '../../base/value.ts';
import { valueKind } from '../template/outcome.ts';
import { BadArgument, type Helper, takeText } from './helper.ts';

export const sort: Helper = {
  usage: 'sort VALUE',
  does:
    'A list of texts sorted by their characters (code points), a list of numbers by size, or a map by its names. ' +
    'Equal items keep their order.',
  example: ['{{#each (sort app.ports)}}{{@key}} {{/each}}', 'admin http '],
  apply([value]) {
    if (isFields(value)) return new Map(sorted([...value], ([name]) => Buffer.from(name), Buffer.compare));
    if (!isList(value)) throw new BadArgument(`takes a list or a map, not ${value ? valueKind(value) : 'nothing'}`);
    if (value.every((item) => isSecret(item) && item.type === 'number')) return sorted(value, sizeOf, bySize);
    return sorted(value, (item) => Buffer.from(takeText(item)), Buffer.compare);
  },
};

/** Sorts by a key that is computed once for each item. */
function sorted<T, K>(items: readonly T[], keyOf: (item: T) => K, compare: (a: K, b: K) => number): readonly T[] {
  const keyed = items.map((item) => ({ item, key: keyOf(item) }));
  return keyed.sort((a, b) => compare(a.key, b.key)).map(({ item }) => item);
}

/** Whole numbers are exact, however large: JavaScript compares a bigint and a double by their true sizes. */
function sizeOf(item: Value): bigint | number {
  const text = takeText(item);
  return /^-?\d{1,1000}$/.test(text) ? BigInt(text) : Number(text);
}

const bySize = (a: bigint | number, b: bigint | number): number => (a < b ? -1 : a > b ? 1 : 0);
