import type * as z from 'zod/mini';
import { RULES, type RuleName } from '../rules.ts';
import type { BackendKindConfig } from '../sections/backends/kind.ts';
import { loadSchemas, type Schemas } from './schemas.ts';
import type { SchemaName } from './shapes.ts';
import type { SchemaTables, Table } from './table.ts';

type Schema = z.core.$ZodType;

/**
 * Which schemas have their tables together: those of every start, and by the code that few configurations need, those
 * that it checks by. So every other start reads less.
 */
export const PARTS = {
  start: ['head', 'backend', 'secret', 'output', 'outputFile', 'log'],
  step: ['reload', 'check', 'verify'],
  exec: ['exec'],
  listener: ['api', 'apiListener', 'proxy', 'admin'],
  sds: ['sds', 'sdsSecret'],
  state: ['state'],
  traces: ['traces'],
} as const satisfies Readonly<Record<string, readonly SchemaName[]>>;

/** What a kind of backend brings with its code when its tables are no part of every start. */
const OF_KIND = ['backend', 'secret'] as const satisfies readonly SchemaName[];

/**
 * The tables of each part, and of each kind that brings its own, as text, by the name that stands for them in the code:
 * PANNIER_STEP_TABLES, PANNIER_ACME_TABLES and so on.
 */
export async function tablesOfParts(kinds: readonly BackendKindConfig[]): Promise<Readonly<Record<string, string>>> {
  const schemas = await loadSchemas(kinds.filter(({ bringsTables }) => bringsTables === undefined));
  const texts = Object.entries(PARTS).map(([part, names]) => textOf(part, names, schemas));
  for (const kind of kinds) {
    if (kind.bringsTables) texts.push(textOf(kind.kind.replaceAll('-', '_'), OF_KIND, await loadSchemas([kind])));
  }
  return Object.fromEntries(texts);
}

function textOf(part: string, names: readonly SchemaName[], schemas: Schemas): [name: string, text: string] {
  const own = Object.fromEntries(names.map((name) => [name, schemas[name]]));
  return [`PANNIER_${part.toUpperCase()}_TABLES`, JSON.stringify(makeTables(own as Schemas))];
}

/**
 * Makes tables of schemas: the build puts them into the program, so that a start needs no zod.
 * @throws TypeError for a schema, a check or a refinement that tables cannot express: extend `Table`, or `RULES`.
 */
export function makeTables<Name extends SchemaName>(schemas: Pick<Schemas, Name>): SchemaTables<Name> {
  const tables: Table[] = [];
  const known = new Map<string, number>();
  const add = (schema: Schema): number => {
    const table = tableOf(schema, add);
    const text = JSON.stringify(table);
    const index = known.get(text) ?? tables.push(table) - 1;
    known.set(text, index);
    return index;
  };
  const byName = Object.entries<Schema>(schemas).map(([name, schema]) => [name, add(schema)]);
  return { byName: Object.fromEntries(byName) as Record<Name, number>, tables };
}

function tableOf(schema: Schema, add: (schema: Schema) => number): Table {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  const checks = (def.checks ?? []).map((check) => (check as z.core.$ZodChecks)._zod.def);
  switch (def.type) {
    case 'unknown':
    case 'boolean':
      return { type: def.type, ...none(checks) };
    case 'string':
      return { type: 'string', ...Object.assign({}, ...stringChecks(checks)) };
    case 'number': {
      // An integer is a number with a format, which is its own first check.
      const { format } = def as { readonly format?: string };
      if (format !== undefined && format !== 'safeint') throw new TypeError(`no table has the format ${format}`);
      const isInt = format === undefined ? {} : { isInt: true as const };
      return { type: 'number', ...isInt, ...Object.assign({}, ...numberChecks(checks)) };
    }
    case 'literal':
      return { type: 'literal', values: def.values, ...none(checks) };
    case 'enum':
      return { type: 'literal', values: Object.values(def.entries), ...none(checks) };
    case 'array':
      return { type: 'array', element: add(def.element), ...Object.assign({}, ...lengthChecks(checks)) };
    case 'union':
      return { type: 'union', options: def.options.map(add), ...none(checks) };
    case 'record':
      return { type: 'record', key: add(def.keyType), value: add(def.valueType), ...none(checks) };
    case 'object': {
      const { catchall, shape } = def as z.core.$ZodObjectDef;
      if ((catchall as z.core.$ZodTypes | undefined)?._zod.def.type !== 'never') {
        throw new TypeError('a table has no other keys than those of its schema');
      }
      const members = Object.entries(shape).map(([key, member]) => [key, ...withoutOptional(member)] as const);
      const required = members.filter(([, , isOptional]) => !isOptional).map(([key]) => key);
      return {
        type: 'object',
        keys: Object.fromEntries(members.map(([key, inner]) => [key, add(inner)])),
        ...(required.length > 0 ? { required } : {}),
        ...none(checks),
      };
    }
    default:
      throw new TypeError(`no table is of the type ${def.type}`);
  }
}

function withoutOptional(schema: Schema): [inner: Schema, isOptional: boolean] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return def.type === 'optional' ? [def.innerType, true] : [schema, false];
}

type Check = z.core.$ZodChecks['_zod']['def'];

function stringChecks(checks: readonly Check[]): object[] {
  const patterns: string[] = [];
  const rules: RuleName[] = [];
  const lengths: Check[] = [];
  for (const check of checks) {
    if (check.check === 'string_format' && check.format === 'regex' && check.pattern?.flags === '') {
      patterns.push(check.pattern.source);
    } else if ((check.check as string) === 'custom') rules.push(ruleOf(check));
    else lengths.push(check);
  }
  return [...lengthChecks(lengths), patterns.length > 0 ? { patterns } : {}, rules.length > 0 ? { rules } : {}];
}

function ruleOf(check: Check): RuleName {
  const { fn } = check as unknown as { readonly fn: unknown };
  const found = Object.entries(RULES).find(([, rule]) => rule === fn);
  if (found === undefined) throw new TypeError('a schema refines a text by a function that is not in RULES');
  return found[0] as RuleName;
}

function numberChecks(checks: readonly Check[]): object[] {
  return checks.map((check) => {
    if (check.check === 'number_format' && check.format === 'safeint') return {};
    if (check.check === 'greater_than' && check.inclusive) return { min: check.value };
    if (check.check === 'less_than' && check.inclusive) return { max: check.value };
    throw new TypeError(`no table of a number has the check ${check.check}`);
  });
}

function lengthChecks(checks: readonly Check[]): object[] {
  return checks.map((check) => {
    if (check.check === 'min_length') return { minLength: check.minimum };
    throw new TypeError(`no table has the check ${check.check}`);
  });
}

function none(checks: readonly Check[]): object {
  if (checks.length > 0) throw new TypeError(`no table has the check ${checks[0]?.check}`);
  return {};
}
