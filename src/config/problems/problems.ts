import type * as z from 'zod/mini';
import type { Code } from '../../base/codes.ts';
import { type Failure, failure } from '../../base/errors.ts';
import { didYouMean, thereIsNo } from '../../base/nearest.ts';
import { isUnfilled, type SourceFile } from '../load/source-file.ts';
import { type ConfigPath, formatPlace, pathKey, valueAt } from '../place.ts';
import { type CheckableRest, ConfigProblemsError } from './config-problems.ts';
import { describeIssue } from './describe-issue.ts';

/** A name that nothing has. */
export interface UnknownName {
  /** Of what kind it is, such as `secret`. */
  readonly what: string;
  readonly name: string;
  /** A name that was probably meant. */
  readonly near: string | undefined;
}

/** Shorter than a UUID, an AWS secret key or a hash, so that a secret in a wrong place is not taken for a name. */
const NAME_LIKE = /^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/;

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
  add(code: Code, file: SourceFile, path: ConfigPath, seen: string, hint?: string): void {
    this.addAt(code, this.placeIn(file, path), seen, hint);
  }

  /**
   * A name that nothing has. The message tells the name, so that it can be read without the file. A name that a
   * reference gave is not told, and neither is what looks like no name: it may be a secret in a wrong place.
   */
  addUnknown(code: Code, file: SourceFile, path: ConfigPath, unknown: UnknownName, hint?: string): void {
    const { what, name, near } = unknown;
    const isFilled = file.filled.has(pathKey(path));
    const isShown = !isFilled && (near !== undefined || NAME_LIKE.test(name));
    const withoutName = `there is no ${what} of the name ${isFilled ? 'that the reference gave' : 'there'}`;
    const seen = isShown ? thereIsNo(what, name, near) : withoutName + didYouMean(near);
    this.add(code, file, path, seen, hint);
  }

  /** A problem at a place in words of the caller. */
  addAt(code: Code, place: string, seen: string, hint?: string): void {
    this.#found.push(failure(code, place, seen, hint === undefined ? {} : { hint }));
  }

  warn(code: Code, file: SourceFile, path: ConfigPath, seen: string, hint?: string): void {
    this.warnings.push(failure(code, this.placeIn(file, path), seen, hint === undefined ? {} : { hint }));
  }

  /** What zod found in the entry at `base`, the first thing at each place. */
  addIssues(issues: readonly z.core.$ZodIssue[], schema: z.core.$ZodType, file: SourceFile, base: ConfigPath): void {
    const value = valueAt(file.tree, base);
    const told = new Set<string>();
    for (const issue of issues) {
      const key = pathKey(issue.path as ConfigPath);
      if (issue.code !== 'unrecognized_keys' && told.size === told.add(key).size) continue;
      if (isUnfilled(file, [...base, ...(issue.path as ConfigPath)])) continue;
      for (const { code, path, seen, hint } of describeIssue(issue, schema, value, file, base)) {
        this.add(code, file, [...base, ...path], seen, hint);
      }
    }
  }

  placeIn(file: Pick<SourceFile, 'label'>, path: ConfigPath): string {
    if (path.length === 0) return file.label;
    return this.several ? `${file.label}: ${formatPlace(path)}` : formatPlace(path);
  }

  /**
   * @throws ProblemsError when anything was added.
   * @param rest what was found good all the same.
   */
  throwIfAny(rest?: CheckableRest): void {
    if (this.#found.length > 0) throw new ConfigProblemsError(this.#found, rest);
  }
}
