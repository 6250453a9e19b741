import type * as z from 'zod/mini';
import { isTree } from '../load/source-file.ts';
import type { ConfigPath } from '../place.ts';

type Schema = z.core.$ZodType;

/** Keys that the map at `path` may have; the options of a union are told apart by the value that stands there. */
export function knownKeys(schema: Schema, path: ConfigPath, value: unknown): readonly string[] {
  let at: Schema | undefined = choose(schema, value);
  let met = value;
  for (const step of path) {
    met = typeof met === 'object' && met !== null ? (met as Record<string | number, unknown>)[step] : undefined;
    const below: Schema | undefined = at && child(at, String(step));
    at = below && choose(below, met);
  }
  const def = at && defOf(at);
  return def?.type === 'object' ? Object.keys(def.shape) : [];
}

/**
 * Every key path the schema knows, `secrets.NAME.kv` for a name's key, `outputs.NAME.reload[].command` for an item's.
 * What docs/configuration.md is held against.
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

/** Through optional, and to the option of a union that the value's discriminator names. */
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

/** Zod keeps the kind of a schema in its definition only; this is its documented way to walk one. */
function defOf(schema: Schema) {
  return (schema as z.core.$ZodTypes)._zod.def;
}
