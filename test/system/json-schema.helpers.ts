/** The part of JSON Schema (draft 2020-12) that the exported schema uses; an unknown keyword throws. */
export type JsonSchema = boolean | Readonly<Record<string, unknown>>;

/** The paths at which `value` violates the schema; empty when it is valid. */
export function misfits(schema: JsonSchema, value: unknown, path = '$'): string[] {
  if (typeof schema === 'boolean') return schema ? [] : [`${path}: nothing is allowed here`];
  return Object.entries(schema).flatMap(([keyword, wanted]) => {
    const check = CHECKS[keyword];
    if (check === undefined) throw new TypeError(`unknown keyword ${keyword}`);
    return check(wanted as never, { value, path, schema });
  });
}

interface Subject {
  readonly value: unknown;
  readonly path: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

const annotation = () => [];

const CHECKS: Readonly<Record<string, (wanted: never, subject: Subject) => string[]>> = {
  $schema: annotation,
  title: annotation,
  description: annotation,
  default: annotation,
  examples: annotation,
  errorMessage: annotation,
  patternErrorMessage: annotation,
  if: (wanted: JsonSchema, { value, path, schema }) => {
    const branch = schema[misfits(wanted, value).length === 0 ? 'then' : 'else'] as JsonSchema | undefined;
    return branch === undefined ? [] : misfits(branch, value, path);
  },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema, which `if` reads
  then: annotation,
  else: annotation,
  allOf: (wanted: JsonSchema[], { value, path }) => wanted.flatMap((one) => misfits(one, value, path)),
  type: (wanted: string, { value, path }) => when(typeOf(value, wanted) === wanted, `${path}: no ${wanted}`),
  const: (wanted: unknown, { value, path }) => when(value === wanted, `${path}: not ${wanted}`),
  enum: (wanted: unknown[], { value, path }) => when(wanted.includes(value), `${path}: none of ${wanted}`),
  anyOf: (wanted: JsonSchema[], { value, path }) =>
    when(
      wanted.some((one) => misfits(one, value).length === 0),
      `${path}: none of anyOf`,
    ),
  pattern: (wanted: string, { value, path }) =>
    when(typeof value !== 'string' || new RegExp(wanted, 'u').test(value), `${path}: not as ${wanted}`),
  minLength: (wanted: number, { value, path }) =>
    when(typeof value !== 'string' || value.length >= wanted, `${path}: too short`),
  minimum: (wanted: number, { value, path }) =>
    when(typeof value !== 'number' || value >= wanted, `${path}: too small`),
  maximum: (wanted: number, { value, path }) =>
    when(typeof value !== 'number' || value <= wanted, `${path}: too large`),
  minItems: (wanted: number, { value, path }) =>
    when(!Array.isArray(value) || value.length >= wanted, `${path}: too few`),
  items: (wanted: JsonSchema, { value, path }) =>
    Array.isArray(value) ? value.flatMap((item, index) => misfits(wanted, item, `${path}[${index}]`)) : [],
  required: (wanted: string[], { value, path }) =>
    isMap(value) ? wanted.filter((key) => !Object.hasOwn(value, key)).map((key) => `${path}.${key}: absent`) : [],
  properties: (wanted: Record<string, JsonSchema>, { value, path }) =>
    isMap(value)
      ? Object.entries(wanted).flatMap(([key, one]) =>
          Object.hasOwn(value, key) ? misfits(one, value[key], `${path}.${key}`) : [],
        )
      : [],
  propertyNames: (wanted: JsonSchema, { value, path }) =>
    isMap(value) ? Object.keys(value).flatMap((key) => misfits(wanted, key, `${path}.${key}`)) : [],
  additionalProperties: (wanted: JsonSchema, { value, path, schema }) => {
    const known = (schema['properties'] ?? {}) as object;
    if (!isMap(value)) return [];
    const others = Object.entries(value).filter(([key]) => !Object.hasOwn(known, key));
    return others.flatMap(([key, item]) => misfits(wanted, item, `${path}.${key}`));
  },
};

function when(fits: boolean, problem: string): string[] {
  return fits ? [] : [problem];
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function typeOf(value: unknown, wanted: string): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return wanted === 'integer' && Number.isInteger(value) ? 'integer' : typeof value;
}
