import type { EntryChecker } from '../problems/problems.ts';
import { fits, type KnownTables } from './table.ts';

/** Thrown by the checker of tables at the first part of a configuration that does not fit: zod can say why. */
export class DoesNotFit extends Error {}

/**
 * Checks by tables, without zod, which takes 6 ms to load and set up. It cannot say what is wrong.
 * @throws DoesNotFit from `check` when a value does not fit its schema, or when there is no table of the schema.
 */
export function createTableChecker(tables: KnownTables): EntryChecker {
  const known: KnownTables[] = [tables];
  return {
    check(name, value) {
      const own = known.find(({ byName }) => byName[name] !== undefined);
      if (own === undefined || !fits(own.tables, own.byName[name] as number, value)) throw new DoesNotFit();
      return value as never;
    },
    learn(more) {
      if (more !== undefined && !known.includes(more)) known.push(more);
    },
  };
}
