import type { EntryChecker } from '../problems/problems.ts';
import { fits, type SchemaTables } from './table.ts';

/** Thrown by the checker of tables at the first part of a configuration that does not fit: zod can say why. */
export class DoesNotFit extends Error {}

/**
 * Checks by tables, without zod, which takes 6 ms to load and set up. It cannot say what is wrong.
 * @throws DoesNotFit from `check` when a value does not fit its schema.
 */
export function createTableChecker({ tables, byName }: SchemaTables): EntryChecker {
  return {
    check(name, value) {
      if (!fits(tables, byName[name], value)) throw new DoesNotFit();
      return value as never;
    },
  };
}
