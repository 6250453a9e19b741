import { RULES, type RuleName } from '../rules.ts';
import type { SchemaName } from './shapes.ts';

/**
 * A schema as plain data: what decides whether a value fits, without what explains why not. `make-tables.ts` makes it
 * from the schema of zod. A number in it names another table by its place in the list.
 */
export type Table =
  | { readonly type: 'unknown' | 'boolean' }
  | {
      readonly type: 'string';
      readonly minLength?: number;
      /** Regular expressions without flags; all must match. */
      readonly patterns?: readonly string[];
      readonly rules?: readonly RuleName[];
    }
  | { readonly type: 'number'; readonly isInt?: true; readonly min?: number; readonly max?: number }
  | { readonly type: 'literal'; readonly values: readonly unknown[] }
  /** No other keys than these. */
  | { readonly type: 'object'; readonly keys: Readonly<Record<string, number>>; readonly required?: readonly string[] }
  | { readonly type: 'record'; readonly key: number; readonly value: number }
  | { readonly type: 'array'; readonly element: number; readonly minLength?: number }
  | { readonly type: 'union'; readonly options: readonly number[] };

/** The tables of schemas of a configuration. */
export interface SchemaTables<Name extends SchemaName = SchemaName> {
  readonly tables: readonly Table[];
  readonly byName: Readonly<Record<Name, number>>;
}

/** Tables of some schemas. */
export interface KnownTables {
  readonly tables: readonly Table[];
  readonly byName: Partial<Record<SchemaName, number>>;
}

/**
 * The tables that the build put in as text: the bytecode of a literal would be twice as large as its code. Undefined in
 * a program that was not built: zod checks its configurations.
 */
export function tablesIn(text: string | undefined): KnownTables | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as KnownTables);
}

const compiled = new Map<string, RegExp>();

/** Whether the schema that a table was made from accepts a value of a parsed file. */
export function fits(tables: readonly Table[], at: number, value: unknown): boolean {
  const table = tables[at] as Table;
  switch (table.type) {
    case 'unknown':
      return true;
    case 'boolean':
      return typeof value === 'boolean';
    case 'string': {
      const { minLength = 0, patterns = [], rules = [] } = table;
      if (typeof value !== 'string' || value.length < minLength) return false;
      return patterns.every((one) => patternOf(one).test(value)) && rules.every((rule) => RULES[rule](value));
    }
    case 'number': {
      const { isInt, min = -Infinity, max = Infinity } = table;
      if (typeof value !== 'number' || !Number.isFinite(value) || value < min || value > max) return false;
      return isInt === undefined || Number.isSafeInteger(value);
    }
    case 'literal':
      return table.values.includes(value);
    case 'array':
      if (!Array.isArray(value) || value.length < (table.minLength ?? 0)) return false;
      return value.every((item) => fits(tables, table.element, item));
    case 'union':
      return table.options.some((option) => fits(tables, option, value));
    case 'object': {
      if (!isMap(value)) return false;
      for (const key of Object.keys(value)) {
        const below = Object.hasOwn(table.keys, key) ? table.keys[key] : undefined;
        if (below === undefined || (value[key] !== undefined && !fits(tables, below, value[key]))) return false;
      }
      return (table.required ?? []).every((key) => value[key] !== undefined);
    }
    case 'record':
      if (!isMap(value)) return false;
      // Zod leaves the key __proto__ out of what it returns, so a map with it does not count as one that fits.
      return Object.keys(value).every(
        (key) => key !== '__proto__' && fits(tables, table.key, key) && fits(tables, table.value, value[key]),
      );
  }
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function patternOf(source: string): RegExp {
  let pattern = compiled.get(source);
  if (pattern === undefined) {
    pattern = new RegExp(source);
    compiled.set(source, pattern);
  }
  return pattern;
}
