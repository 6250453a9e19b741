import type { EntryChecker } from '../problems/problems.ts';
import { fits, type KnownTables } from './table.ts';

/** Thrown by the checker of tables at the first part of a configuration that does not fit: zod can say why. */
export class DoesNotFit extends Error {}

/**
 * Checks by tables, without zod, which takes 6 ms to load and set up. It cannot say what is wrong.
 * @throws DoesNotFit from `check` when a value fits none of the tables that are known of its schema.
 */
export function createTableChecker(tables: KnownTables): EntryChecker {
  const known: KnownTables[] = [tables];
  return {
    check(name, value) {
      const isFine = known.some(({ tables, byName: { [name]: at } }) => at !== undefined && fits(tables, at, value));
      if (!isFine) throw new DoesNotFit();
      return value as never;
    },
    learn(more) {
      if (more !== undefined && !known.includes(more)) known.push(more);
    },
  };
}
