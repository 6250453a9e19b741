import { isList, isSecret, type Value } from '../../base/value.ts';

/** The value with the fields of all maps in it in the order of their names, by code points. */
export function sortedFields(value: Value): Value {
  if (isSecret(value)) return value;
  if (isList(value)) return value.map(sortedFields);
  const names = [...value].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return new Map(names.map(([name, field]) => [name, sortedFields(field)]));
}
