import { didYouMean, makeNearest } from './nearest.ts';
import { Secret } from './secret.ts';

/** Data of a backend's answer, as templates use it: each leaf is a `Secret`, lists and maps are plain. */
export type Value = Secret | readonly Value[] | Fields;

/** Named values in the order of the answer. A Map, so that `__proto__` and `constructor` are ordinary names. */
export type Fields = ReadonlyMap<string, Value>;

export const isSecret = (value: Value | undefined): value is Secret => value instanceof Secret;
export const isFields = (value: Value | undefined): value is Fields => value instanceof Map;
export const isList = (value: Value | undefined): value is readonly Value[] => Array.isArray(value);

/** Whether two values have the same names, lists and leaves. The order of names does not matter. */
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
 * Completes the message that a field is missing when the secret has only the field `value`. Backends keep text that is
 * no JSON object in that field, so the text may be a JSON object with a mistake. Empty when there are other fields.
 */
export function aboutOneField(fields: Value): string {
  const only = isFields(fields) && fields.size === 1 ? fields.get('value') : undefined;
  if (!isSecret(only)) return '';
  if (only.type !== 'string') return '; its only field is value';
  const text = only.exposeText('backend');
  if (!text.trimStart().startsWith('{')) return '; the stored text is no JSON object, so there is only value';
  return isJson(text)
    ? '; its only field is value, whose text is a JSON object'
    : '; the stored text begins like a JSON object but is none, so it is kept as the one field value';
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Limits the names of fields that one message lists. */
const MAX_NAMES = 30;
const PLAIN_NAME = /^[\w.-]{1,64}$/;

/**
 * What helps when a map has no field of a name: the name that was probably meant, for the end of a message, and a hint
 * with the names that there are; both empty when there are none. Only for maps whose names are the backend's own.
 */
export function otherFields(fields: Value, name: string): { readonly meant: string; readonly hint?: string } {
  if (!isFields(fields) || fields.size === 0) return { meant: '' };
  const names = [...fields.keys()];
  const more = names.length > MAX_NAMES ? `, and ${names.length - MAX_NAMES} more` : '';
  const shown = names.slice(0, MAX_NAMES).map((one) => (PLAIN_NAME.test(one) ? one : JSON.stringify(one.slice(0, 64))));
  const near = makeNearest(names)(name);
  return {
    meant: didYouMean(near),
    hint: `${names.length === 1 ? 'Its only field is' : 'Its fields are'} ${shown.join(', ')}${more}.`,
  };
}

/**
 * The text of a string, number or boolean; undefined for any other value. Only for data that is no credential, such as
 * the type of a mount or the duration of a lease.
 */
export function plainText(value: Value | undefined): string | undefined {
  if (!isSecret(value) || value.type === 'null' || value.type === 'bytes') return undefined;
  return value.exposeText('backend');
}

/** The finite number that a number or a numeric text holds; undefined for any other value. */
export function plainNumber(value: Value | undefined): number | undefined {
  const text = plainText(value);
  if (text === undefined || text.trim() === '') return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}

/** The value at `path`; undefined when a step is missing or is not in a map. */
export function lookUp(value: Value | undefined, ...path: readonly string[]): Value | undefined {
  let at = value;
  for (const step of path) {
    if (!isFields(at)) return undefined;
    at = at.get(step);
  }
  return at;
}
