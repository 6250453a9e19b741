/** A test by the name that `vitest -t` knows it under: the titles of its `describe`s and its own, joined by spaces. */
export interface TestName {
  readonly file: string;
  /** As the source has it: a table of tests keeps its `%s`. */
  readonly title: string;
  /** The row of the table that is meant, by the text that stands in its title. */
  readonly row?: string;
}

/** One sentence that users may rely on, or a separately testable part of one. */
export type Kept = {
  readonly id: string;
  readonly says: string;
} & ({ readonly held: readonly TestName[] } | { readonly pending: string });

export interface Section {
  readonly name: string;
  readonly promises: readonly Kept[];
}

/** `inFile('test/lease/schedule.test.ts', 'the schedule')` makes names of tests in one `describe` of one file. */
export function inFile(file: string, context = ''): (title: string, row?: string) => TestName {
  return (title, row) => ({
    file,
    title: context === '' ? title : `${context} ${title}`,
    ...(row === undefined ? {} : { row }),
  });
}

export const held = (id: string, says: string, ...tests: readonly TestName[]): Kept => ({ id, says, held: tests });
export const pending = (id: string, says: string, waitsFor: string): Kept => ({ id, says, pending: waitsFor });
