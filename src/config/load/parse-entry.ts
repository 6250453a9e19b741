import * as z from 'zod/mini';
import { type ConfigPath, pathKey, valueAt } from '../place.ts';
import type { Problems } from '../problems/problems.ts';
import type { ConfigEntry } from './entry.ts';
import { isUnfilled, type SourceFile } from './source-file.ts';

/**
 * One entry, parsed by its schema. Undefined when something is wrong; it was added to `problems`.
 * @param raw the value to parse instead of the one at the entry's path.
 */
export function parseEntry<S extends z.core.$ZodType>(
  schema: S,
  { file, path }: ConfigEntry,
  problems: Problems,
  raw: unknown = valueAt(file.tree, path),
): z.core.output<S> | undefined {
  let result = z.safeParse(schema, raw, { jitless: true });
  if (!result.success && takeAsTyped(result.error.issues, raw, file, path)) {
    result = z.safeParse(schema, raw, { jitless: true });
  }
  if (result.success) return isUnfilled(file, path) ? undefined : result.data;
  problems.addIssues(result.error.issues, schema, file, path);
  return undefined;
}

/**
 * A reference gives text. Where the schema expects a number or a boolean and the text is one, it becomes that in `raw`,
 * which is a copy that belongs to the loader.
 * @returns whether anything changed.
 */
function takeAsTyped(issues: readonly z.core.$ZodIssue[], raw: unknown, file: SourceFile, base: ConfigPath): boolean {
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
