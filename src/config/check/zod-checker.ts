import * as z from 'zod/mini';
import { makeNearest } from '../../base/nearest.ts';
import type { ConfigEntry } from '../load/entry.ts';
import { isUnfilled, type SourceFile } from '../load/source-file.ts';
import { type ConfigPath, pathKey, valueAt } from '../place.ts';
import { describeIssue } from '../problems/describe-issue.ts';
import type { EntryChecker, Problems } from '../problems/problems.ts';
import { knownKeys } from '../problems/schema-keys.ts';
import { makeOfRest } from './rest-of-entry.ts';
import type { Schemas } from './schemas.ts';

/** Checks by zod, which finds everything that is wrong. It gives copies of the values. */
export function createZodChecker(schemas: Schemas): EntryChecker {
  return {
    check(name, value, entry, problems) {
      const schema = schemas[name];
      let result = z.safeParse(schema, value, { jitless: true });
      if (!result.success && takeAsTyped(result.error.issues, value, entry)) {
        result = z.safeParse(schema, value, { jitless: true });
      }
      if (result.success) return result.data as never;
      addIssues(result.error.issues, schema, entry, problems);
      return undefined;
    },
    makeOfRest(name, entry, problems, make, options) {
      return makeOfRest(schemas[name], entry, problems, make as never, options);
    },
  };
}

/**
 * A reference gives text. Where the schema expects a number or a boolean and the text is one, it becomes that in `raw`,
 * which is a copy that belongs to the loader.
 * @returns whether anything changed.
 */
function takeAsTyped(
  issues: readonly z.core.$ZodIssue[],
  raw: unknown,
  { file, path: base }: { readonly file: SourceFile; readonly path: ConfigPath },
): boolean {
  let changed = false;
  for (const issue of issues) {
    if (!expectsTyped(issue)) continue;
    const path = issue.path as ConfigPath;
    const step = path.at(-1);
    const text = valueAt(raw, path);
    if (step === undefined || typeof text !== 'string' || !/^(?:true|false|\d{1,15})$/.test(text)) continue;
    if (!file.filled.has(pathKey([...base, ...path]))) continue;
    const parent = valueAt(raw, path.slice(0, -1)) as Record<string | number, unknown>;
    parent[step] = JSON.parse(text.replace(/^0+(?=\d)/, ''));
    changed = true;
  }
  return changed;
}

function expectsTyped(issue: z.core.$ZodIssue): boolean {
  if (issue.code === 'invalid_type') return ['boolean', 'number', 'int'].includes(issue.expected);
  return issue.code === 'invalid_value' && issue.values.some((value) => typeof value !== 'string');
}

/** The keys, by `pathKey`, that a misspelt key was meant to be: that they are missing is no further problem. */
function misspeltKeys(issues: readonly z.core.$ZodIssue[], schema: z.core.$ZodType, entry: unknown): string[] {
  return issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [];
    const path = issue.path as ConfigPath;
    const map = valueAt(entry, path);
    const nearest = makeNearest(knownKeys(schema, path, entry));
    const meant = issue.keys.map(nearest).filter((key) => key !== undefined);
    return meant.flatMap((key) => (valueAt(map, [key]) === undefined ? [pathKey([...path, key])] : []));
  });
}

/** Adds what zod found in an entry: at each place the first issue only. */
function addIssues(
  issues: readonly z.core.$ZodIssue[],
  schema: z.core.$ZodType,
  { file, path: base }: ConfigEntry,
  problems: Problems,
): void {
  const value = valueAt(file.tree, base);
  const reported = new Set<string>(misspeltKeys(issues, schema, value));
  for (const issue of issues) {
    const key = pathKey(issue.path as ConfigPath);
    if (issue.code !== 'unrecognized_keys' && reported.size === reported.add(key).size) continue;
    if (isUnfilled(file, [...base, ...(issue.path as ConfigPath)])) continue;
    for (const { code, path, seen, hint } of describeIssue(issue, schema, value, file, base)) {
      problems.add(code, file, [...base, ...path], seen, hint);
    }
  }
}
