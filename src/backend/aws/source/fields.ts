import { fail } from '../../../base/errors.ts';
import { parseJson } from '../../../base/json.ts';
import { Secret } from '../../../base/secret.ts';
import { type Fields, isFields, type Value } from '../../../base/value.ts';

/** A value as Secrets Manager stores it: one of the two members. */
export interface StoredValue {
  readonly SecretString?: string | undefined;
  readonly SecretBinary?: Uint8Array | undefined;
}

/**
 * The members of a JSON object become the fields. Any other text, JSON or not, becomes the one field `value` as it was
 * stored, and so do bytes.
 * @throws PannierError SECRET_EMPTY when the version has neither text nor bytes.
 */
export function fieldsOf({ SecretString, SecretBinary }: StoredValue, place: string): Fields {
  if (typeof SecretString === 'string') return fieldsOfText(SecretString);
  if (SecretBinary !== undefined) return new Map([['value', Secret.bytes(SecretBinary)]]);
  throw fail('SECRET_EMPTY', place, 'the version holds no value');
}

/** Like `fieldsOf`, for a text. */
export function fieldsOfText(text: string): Fields {
  const parsed = text.trimStart().startsWith('{') ? tryParseJson(text) : undefined;
  return isFields(parsed) ? parsed : new Map([['value', Secret.text(text)]]);
}

function tryParseJson(text: string): Value | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
