import { Secret } from '../../base/secret.ts';
import { isFields, isList, type Value } from '../../base/value.ts';

/** What stands in the place of a value; its length and type are not told either. */
export const MASK = '[secret]';

/** The same maps and lists, with a mark for every leaf. Names of fields stay: they are no values. */
export function maskValue(value: Value): Value {
  if (isList(value)) return value.map(maskValue);
  if (isFields(value)) return new Map([...value].map(([name, field]) => [name, maskValue(field)]));
  return Secret.text(MASK);
}
