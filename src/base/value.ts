import { Secret } from './secret.ts';

/** What a backend answers and a template sees: leaves are opaque, containers are plain. */
export type Value = Secret | readonly Value[] | Fields;

/** Named values in the order of the answer. A Map, so that `__proto__` and `constructor` are ordinary names. */
export type Fields = ReadonlyMap<string, Value>;

export const isSecret = (value: Value | undefined): value is Secret => value instanceof Secret;
export const isFields = (value: Value | undefined): value is Fields => value instanceof Map;
export const isList = (value: Value | undefined): value is readonly Value[] => Array.isArray(value);

/** Equal in shape, order of lists, names and leaves. The order of names does not count. */
export function equalValues(a: Value, b: Value): boolean {
  if (isSecret(a)) return isSecret(b) && a.equals(b);
  if (isList(a)) return isList(b) && a.length === b.length && a.every((item, i) => equalValues(item, b[i] as Value));
  if (!isFields(b) || a.size !== b.size) return false;
  for (const [name, value] of a) {
    const other = b.get(name);
    if (other === undefined || !equalValues(value, other)) return false;
  }
  return true;
}

/**
 * Completes the message that a field is missing, for what a backend keeps as the one field `value`: text that was meant
 * to be a JSON object, and is none, looks like that. Empty when there are other fields.
 */
export function aboutOneField(fields: Value): string {
  const only = isFields(fields) && fields.size === 1 ? fields.get('value') : undefined;
  if (!isSecret(only)) return '';
  const isNearlyJson = only.type === 'string' && only.exposeText('backend').trimStart().startsWith('{');
  return isNearlyJson
    ? '; what is stored begins as a JSON object and is none, so that it is the one field value'
    : '; its one field is value';
}

/** Text of a string or number leaf that is not a credential (a mount's type, a lease's duration); else undefined. */
export function plainText(value: Value | undefined): string | undefined {
  if (!isSecret(value) || value.type === 'null' || value.type === 'bytes') return undefined;
  return value.exposeText('backend');
}

/** A finite number from a number leaf or a numeric string; else undefined. */
export function plainNumber(value: Value | undefined): number | undefined {
  const text = plainText(value);
  if (text === undefined || text.trim() === '') return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}

/** The value below `path`, or undefined when a step is missing or not a map. */
export function lookUp(value: Value | undefined, ...path: readonly string[]): Value | undefined {
  let at = value;
  for (const step of path) {
    if (!isFields(at)) return undefined;
    at = at.get(step);
  }
  return at;
}
