import { parseJson } from '../../base/json.ts';
import { type Fields, isFields, plainText } from '../../base/value.ts';

/** The members of a JSON object; undefined for any other text. */
export function parseJsonObject(text: string): Fields | undefined {
  try {
    const value = parseJson(text);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Reads text members of a body in JSON by their names; undefined when the body is not a JSON object. */
export function textMembers(body: Uint8Array): ((name: string) => string | undefined) | undefined {
  const fields = parseJsonObject(Buffer.from(body).toString());
  return fields && ((name) => plainText(fields.get(name)));
}
