import { fail } from '../../../base/errors.ts';
import { parseJson } from '../../../base/json.ts';
import { didYouMean, makeNearest } from '../../../base/nearest.ts';
import { Secret } from '../../../base/secret.ts';
import { type Fields, isFields, lookUp, plainText, type Value } from '../../../base/value.ts';
import { kindWord, type ObjectRef } from '../client/object-ref.ts';

/** An object as it was read. */
export interface KubeObject {
  /** The `resourceVersion`, which no two versions of an object share, not even after it was made again. */
  readonly version: string;
  readonly fields: Fields;
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * Reads an answer. Each key of `data`, and of `binaryData` of a ConfigMap, is a field; what is in base64 there is
 * decoded, and bytes that are no text stay bytes.
 * @param keys those that become fields; absent: all.
 * @throws PannierError BACKEND_MALFORMED, SECRET_EMPTY, SECRET_NOT_FOUND for a key that is not there.
 */
export function readObject(
  body: Uint8Array,
  object: ObjectRef,
  keys: readonly string[] | undefined,
  place: string,
): KubeObject {
  const answer = parse(body);
  const version = plainText(lookUp(answer, 'metadata', 'resourceVersion'));
  if (!isFields(answer) || plainText(answer.get('kind')) !== kindWord(object) || !version) {
    throw fail('BACKEND_MALFORMED', place, `the answer is no ${kindWord(object)} of Kubernetes`);
  }
  const isSecret = object.resource === 'secrets';
  const data = isFields(answer.get('data')) ? (answer.get('data') as Fields) : new Map<string, Value>();
  const binary = isFields(answer.get('binaryData')) ? (answer.get('binaryData') as Fields) : new Map<string, Value>();
  const all = new Map<string, Value>();
  for (const [key, value] of data) all.set(key, isSecret ? decoded(key, value, place) : value);
  for (const [key, value] of isSecret ? [] : binary) all.set(key, decoded(key, value, place));
  const what = `the ${kindWord(object)} ${object.name} in the namespace ${object.namespace}`;
  if (all.size === 0) throw fail('SECRET_EMPTY', place, `${what} has no data`);
  return { version, fields: keys === undefined ? all : only(all, keys, what, place) };
}

function parse(body: Uint8Array): Value | undefined {
  try {
    return parseJson(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
  } catch {
    return undefined;
  }
}

function decoded(key: string, value: Value, place: string): Secret {
  const text = plainText(value);
  if (text !== undefined && BASE64.test(text)) return Secret.bytes(Buffer.from(text, 'base64'));
  throw fail('BACKEND_MALFORMED', place, `the key ${JSON.stringify(key)} of the answer is no base64`);
}

function only(all: Fields, keys: readonly string[], what: string, place: string): Fields {
  const absent = keys.find((key) => !all.has(key));
  if (absent === undefined) return new Map(keys.map((key) => [key, all.get(key) as Value]));
  const near = didYouMean(makeNearest(all.keys())(absent));
  const hint = 'Correct keys, or add the key to the object.';
  throw fail('SECRET_NOT_FOUND', place, `${what} has no key ${JSON.stringify(absent)}${near}`, { hint });
}
