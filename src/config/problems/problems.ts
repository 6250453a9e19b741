import type { Code } from '../../base/codes.ts';
import type { Failure } from '../../base/errors.ts';
import type { SchemaName, Shapes } from '../check/shapes.ts';
import type { KnownTables } from '../check/table.ts';
import type { ConfigEntry } from '../load/entry.ts';
import type { SourceFile } from '../load/source-file.ts';
import type { ConfigPath } from '../place.ts';

/** A name that does not exist. */
export interface UnknownName {
  /** What it should be the name of, such as `secret`. */
  readonly what: string;
  readonly name: string;
  /** The name that was probably meant. */
  readonly near: string | undefined;
}

/** Where a problem stands: a path in the file with this label. */
export interface Spot {
  readonly label: string;
  readonly path: ConfigPath;
}

/** A problem before it is known in which line it stands. */
export interface FoundProblem {
  readonly failed: Failure;
  /** Absent: it stands in no file, or `failed` has its position. */
  readonly spot?: Spot;
  /** Where the same thing is defined too; its position ends `seen`. */
  readonly first?: Spot;
}

/**
 * What is wrong with a configuration. Of the two implementations the first gives up at the first problem
 * (`QuickCheck`), and the second collects all problems (`AllProblems`), so that a start with a good configuration loads
 * no words for bad ones.
 */
export interface Problems {
  /** What entries are checked by. */
  readonly checker: EntryChecker;
  /** How many problems were found. */
  readonly count: number;
  readonly found: readonly FoundProblem[];
  readonly warnings: readonly FoundProblem[];
  /**
   * An empty list with the same checker.
   * @param isCautious for an entry that has other problems: a name that does not exist is then shown only when one like
   * it does exist, since what stands in such an entry may be a secret in a wrong place.
   */
  fork(options?: { readonly isCautious: boolean }): Problems;
  /** Takes all problems and warnings that another list has. */
  takeAll(other: Problems): void;
  /** Takes a problem. */
  take(problem: FoundProblem): void;
  /** Adds a problem at a path in a file. `hint` replaces the code's own. */
  add(code: Code, file: Pick<SourceFile, 'label'>, path: ConfigPath, seen: string, hint?: string): void;
  /**
   * Adds a name that does not exist. The message shows the name, unless a reference gave it or it does not look like a
   * name: it may be a secret in a wrong place.
   */
  addUnknown(code: Code, file: SourceFile, path: ConfigPath, unknown: UnknownName, hint?: string): void;
  /** Adds a problem at a place that the caller words. */
  addAt(code: Code, place: string, seen: string, hint?: string): void;
  /** Adds a name or section that two files define. */
  addDuplicate(first: SourceFile, second: SourceFile, path: ConfigPath): void;
  /** Adds a warning at a path in a file. */
  warn(code: Code, file: SourceFile, path: ConfigPath, seen: string, hint?: string): void;
  /** The place of a path in a file, as messages about the running agent show it. */
  placeIn(file: Pick<SourceFile, 'label'>, path: ConfigPath): string;
}

/**
 * What follows the check of an entry against its schema. It adds problems to the list that it gets, and to no other.
 */
export type Make<N extends SchemaName, T> = (shape: Shapes[N], problems: Problems) => T | undefined;

export interface ResolveOptions {
  /** The value to check instead of the one at the entry's path. */
  readonly raw?: unknown;
  /** Keys of the entry that may be wrong, and what the others make is good enough to be looked at further. */
  readonly spare?: readonly string[] | undefined;
}

/** Checks the parts of configuration files against their schemas. */
export interface EntryChecker {
  /**
   * The value, when it is as the schema of this name wants it. Undefined when something is wrong; it was added to
   * `problems`.
   * @param value what the entry holds, or the part of it that is to be checked.
   */
  check<N extends SchemaName>(name: N, value: unknown, entry: ConfigEntry, problems: Problems): Shapes[N] | undefined;
  /** The tables of a section whose code is loaded on need, if it has any. Absent: this checker knows all schemas. */
  learn?(tables: KnownTables | undefined): void;
  /** What `resolveEntry` does with an entry that `check` refused. Absent: this checker does not refuse any. */
  makeOfRest?<N extends SchemaName, T>(
    name: N,
    entry: ConfigEntry,
    problems: Problems,
    make: Make<N, T>,
    options: ResolveOptions,
  ): T | undefined;
}
