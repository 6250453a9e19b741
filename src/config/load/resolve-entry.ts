import type { SchemaName } from '../check/shapes.ts';
import { valueAt } from '../place.ts';
import type { Make, Problems, ResolveOptions } from '../problems/problems.ts';
import type { ConfigEntry } from './entry.ts';
import { isUnfilled } from './source-file.ts';

/**
 * Makes something of one entry that fits its schema. When the entry does not fit, the problem is added, and then those
 * that `make` finds in the rest of the entry: what it would find whatever the wrong parts are meant to be.
 * @returns undefined when something is wrong, unless it is wrong in keys to `spare` only.
 */
export function resolveEntry<N extends SchemaName, T>(
  schema: N,
  entry: ConfigEntry,
  problems: Problems,
  make: Make<N, T>,
  { raw = valueAt(entry.file.tree, entry.path), spare }: ResolveOptions = {},
): T | undefined {
  const { checker } = problems;
  const value = checker.check(schema, raw, entry, problems);
  if (value !== undefined && !isUnfilled(entry.file, entry.path)) return make(value, problems);
  return checker.makeOfRest?.(schema, entry, problems, make, { raw, spare });
}
