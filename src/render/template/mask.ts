import { Secret } from '../../base/secret.ts';
import { isFields, isList, type Value } from '../../base/value.ts';

/** Takes the place of a value, and hides its length and type too. */
export const MASK = '[secret]';

/** The same maps and lists with `MASK` for every leaf. Names of fields stay, since they are not secret. */
export function maskValue(value: Value): Value {
  if (isList(value)) return value.map(maskValue);
  if (isFields(value)) return new Map([...value].map(([name, field]) => [name, maskValue(field)]));
  return Secret.text(MASK);
}
