import type * as z from 'zod/mini';
import type { Code } from '../base/codes.ts';
import { type Failure, failure } from '../base/errors.ts';
import { ConfigProblemsError, type GoodRest } from './config-problems.ts';
import { describeIssue } from './describe-issue.ts';
import { formatPlace, type Path, pathKey, valueAt } from './place.ts';
import { isUnfilled, type SourceFile } from './source-file.ts';

/** Collects everything wrong with a configuration, so that all of it is told at once. */
export class Problems {
  readonly warnings: Failure[] = [];
  readonly #found: Failure[] = [];
  /** Several files: a place names its file. */
  several = false;

  get count(): number {
    return this.#found.length;
  }

  /** A problem at a path in a file. */
  add(code: Code, file: SourceFile, path: Path, seen: string, hint?: string): void {
    this.addAt(code, this.placeIn(file, path), seen, hint);
  }

  /** A problem at a place in words of the caller. */
  addAt(code: Code, place: string, seen: string, hint?: string): void {
    this.#found.push(failure(code, place, seen, hint === undefined ? {} : { hint }));
  }

  warn(code: Code, file: SourceFile, path: Path, seen: string, hint?: string): void {
    this.warnings.push(failure(code, this.placeIn(file, path), seen, hint === undefined ? {} : { hint }));
  }

  /** What zod found in the entry at `base`, the first thing at each place. */
  addIssues(issues: readonly z.core.$ZodIssue[], schema: z.core.$ZodType, file: SourceFile, base: Path): void {
    const value = valueAt(file.tree, base);
    const told = new Set<string>();
    for (const issue of issues) {
      const key = pathKey(issue.path as Path);
      if (issue.code !== 'unrecognized_keys' && told.size === told.add(key).size) continue;
      if (isUnfilled(file, [...base, ...(issue.path as Path)])) continue;
      for (const { code, path, seen, hint } of describeIssue(issue, schema, value, file, base)) {
        this.add(code, file, [...base, ...path], seen, hint);
      }
    }
  }

  placeIn(file: Pick<SourceFile, 'label'>, path: Path): string {
    if (path.length === 0) return file.label;
    return this.several ? `${file.label}: ${formatPlace(path)}` : formatPlace(path);
  }

  /**
   * @throws ProblemsError when anything was added.
   * @param rest what was found good all the same.
   */
  throwIfAny(rest?: GoodRest): void {
    if (this.#found.length > 0) throw new ConfigProblemsError(this.#found, rest);
  }
}
