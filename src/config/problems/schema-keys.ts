import type * as z from 'zod/mini';
import { isTree } from '../load/source-file.ts';
import type { ConfigPath } from '../place.ts';

type Schema = z.core.$ZodType;

/** The keys that the map at `path` may have. `value` chooses the option of a union. */
export function knownKeys(schema: Schema, path: ConfigPath, value: unknown): readonly string[] {
  const at = schemaAt(schema, path, value);
  const def = at && defOf(at);
  return def?.type === 'object' ? Object.keys(def.shape) : [];
}

/** The schema of the value at `path`; undefined when there is none. `value` chooses the option of a union. */
export function schemaAt(schema: Schema, path: ConfigPath, value: unknown): Schema | undefined {
  let at: Schema | undefined = choose(schema, value);
  let here = value;
  for (const step of path) {
    here = typeof here === 'object' && here !== null ? (here as Record<string | number, unknown>)[step] : undefined;
    const below: Schema | undefined = at && child(at, String(step));
    at = below && choose(below, here);
  }
  return at;
}

/**
 * The keys that some option of the union at `path` knows; those of one option alone when `chosen` is its kind or its
 * method.
 */
export function keysOfOptions(schema: Schema, path: ConfigPath, value: unknown, chosen: unknown): readonly string[] {
  const at = schemaAt(schema, path, value);
  const def = at && defOf(at);
  if (def?.type !== 'union') return [];
  const { discriminator = '' } = def as unknown as { discriminator?: string };
  const one = def.options.filter((option) => option._zod.propValues?.[discriminator]?.has(chosen as never));
  const options = one.length > 0 ? one : def.options;
  return options.flatMap((option) => knownKeys(option, [], undefined));
}

/**
 * Every key path of a schema, such as `secrets.NAME.kv` and `outputs.NAME.reload[].command`. A test compares
 * docs/configuration.md with them.
 */
export function keyPaths(schema: Schema, prefix = ''): string[] {
  const def = defOf(schema);
  switch (def.type) {
    case 'optional':
      return keyPaths(def.innerType, prefix);
    case 'object':
      return Object.entries(def.shape).flatMap(([key, value]) => {
        const path = prefix === '' ? key : `${prefix}.${key}`;
        return [path, ...keyPaths(value, path)];
      });
    case 'record':
      return keyPaths(def.valueType, `${prefix}.NAME`);
    case 'array':
      return keyPaths(def.element, `${prefix}[]`);
    case 'union':
      return [...new Set(def.options.flatMap((option) => keyPaths(option, prefix)))];
    default:
      return [];
  }
}

function child(schema: Schema, step: string): Schema | undefined {
  const def = defOf(schema);
  if (def.type === 'object') return def.shape[step];
  if (def.type === 'record') return def.valueType;
  return def.type === 'array' ? def.element : undefined;
}

/** The schema inside an optional one, and of a union the option that the value's discriminator names. */
function choose(schema: Schema, value: unknown): Schema {
  const def = defOf(schema);
  if (def.type === 'optional') return choose(def.innerType, value);
  if (def.type !== 'union' || !isTree(value)) return schema;
  const discriminator = (def as unknown as { discriminator?: string }).discriminator;
  if (discriminator === undefined) return schema;
  return (
    def.options.find((option) => option._zod.propValues?.[discriminator]?.has(value[discriminator] as never)) ?? schema
  );
}

/** The definition of a schema, which says its kind: the way that zod documents to walk through schemas. */
function defOf(schema: Schema) {
  return (schema as z.core.$ZodTypes)._zod.def;
}
