import type { SchemaName, Shapes } from '../check/entry-checker.ts';
import { valueAt } from '../place.ts';
import type { Problems } from '../problems/problems.ts';
import type { ConfigEntry } from './entry.ts';
import { isUnfilled } from './source-file.ts';

/**
 * One entry, checked against its schema. Undefined when something is wrong; it was added to `problems`.
 * @param raw the value to check instead of the one at the entry's path.
 */
export function parseEntry<N extends SchemaName>(
  schema: N,
  entry: ConfigEntry,
  problems: Problems,
  raw: unknown = valueAt(entry.file.tree, entry.path),
): Shapes[N] | undefined {
  const value = problems.checker.check(schema, raw, entry, problems);
  return isUnfilled(entry.file, entry.path) ? undefined : value;
}
