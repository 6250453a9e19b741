import type { BackendKindConfig } from './sections/backends/kind.ts';

/** The part of a JSON Schema that is shaped here. */
export interface JsonSchema {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  not?: object;
  properties?: Record<string, JsonSchema | false>;
  required?: readonly string[];
  additionalProperties?: JsonSchema | false;
  items?: JsonSchema;
  if?: JsonSchema;
  then?: JsonSchema;
  else?: JsonSchema;
  allOf?: JsonSchema[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  /** What editors show in the place of their own message; others ignore the word. */
  errorMessage?: string;
}

/**
 * Rewrites a `oneOf` of maps that differ by the value of one key: that key decides, so that a message is about the
 * chosen map, and not about all of them.
 */
export function chooseBy(key: string, schema: JsonSchema): void {
  const options = schema.oneOf ?? [];
  delete schema.oneOf;
  const chosen = ({ properties }: JsonSchema) => (properties?.[key] || undefined)?.const;
  Object.assign(schema, {
    type: 'object',
    properties: { [key]: { type: 'string', enum: options.map(chosen) } },
    required: [key],
    allOf: options.map((option) => ({
      if: { properties: { [key]: { const: chosen(option) } }, required: [key] },
      // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
      then: option,
    })),
  });
}

/**
 * Lets a map have exactly one of `keys`. Each message names what is too much or missing.
 * @param kinds whose keys of secrets go with some of `keys` only.
 */
export function requireOneOf(keys: readonly string[], schema: JsonSchema, kinds: readonly BackendKindConfig[]): void {
  const all = keys.join(', ');
  const exclusions = keys.slice(0, -1).map((key, index) => ({
    if: { required: [key] },
    // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
    then: {
      properties: Object.fromEntries(keys.slice(index + 1).map((other) => [other, false as const])),
      errorMessage: `${key} is there already: exactly one of ${all} is expected`,
    },
  }));
  const companions = kinds.flatMap(({ companionKeys }) =>
    Object.entries(companionKeys).map(([key, beside]) => ({
      if: { required: [key] },
      // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
      then: anyOf(beside, `${key} goes with ${beside.join(', ')} only`),
    })),
  );
  schema.allOf = [anyOf(keys, `exactly one of ${all} is expected`), ...exclusions, ...companions];
}

/** One of `keys` at least. A plain `anyOf` would be reported as the first key missing. */
function anyOf(keys: readonly string[], errorMessage: string): JsonSchema {
  const [first = ''] = keys;
  return { if: { anyOf: keys.map((key) => ({ required: [key] })) }, else: { required: [first], errorMessage } };
}

/** The schema without the keys that are known and refused, which editors would offer. */
export function withoutRefused(schema: JsonSchema): JsonSchema {
  walkKeys(schema, (_path, below, key, owner) => {
    if (below.not !== undefined) delete owner[key];
  });
  return schema;
}

/**
 * Calls `visit` with each key of a schema and its path, such as `outputs.NAME.reload[].signal`; a key of several
 * options comes once for each.
 */
export function walkKeys(
  schema: JsonSchema,
  visit: (path: string, schema: JsonSchema, key: string, owner: Record<string, JsonSchema | false>) => void,
  path = '',
): void {
  const { properties = {}, additionalProperties, items } = schema;
  for (const [key, below] of Object.entries(properties)) {
    if (below === false) continue;
    const at = path === '' ? key : `${path}.${key}`;
    visit(at, below, key, properties);
    walkKeys(below, visit, at);
  }
  if (typeof additionalProperties === 'object') walkKeys(additionalProperties, visit, `${path}.NAME`);
  if (items !== undefined) walkKeys(items, visit, `${path}[]`);
  const options = [...(schema.allOf ?? []), ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  for (const option of options) walkKeys(option, visit, path);
  if (schema.then !== undefined) walkKeys(schema.then, visit, path);
}
