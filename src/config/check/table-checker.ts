import type { EntryChecker } from './entry-checker.ts';
import { fits, type SchemaTables } from './table.ts';

/** Thrown by the checker of tables at the first part of a configuration that does not fit: zod can say why. */
export class DoesNotFit extends Error {}

/**
 * Checks by tables, without zod, which takes 6 ms to load and set up. It cannot say what is wrong.
 * @throws DoesNotFit from `check` when a value does not fit its schema, or when there is no table of the schema.
 */
export function createTableChecker(
  all: readonly { readonly tables: SchemaTables['tables']; readonly byName: Partial<SchemaTables['byName']> }[],
): EntryChecker {
  return {
    check(name, value) {
      const own = all.find(({ byName }) => byName[name] !== undefined);
      if (own === undefined || !fits(own.tables, own.byName[name] as number, value)) throw new DoesNotFit(name);
      return value as never;
    },
  };
}
