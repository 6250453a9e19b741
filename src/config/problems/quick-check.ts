import type { Code } from '../../base/codes.ts';
import { failure } from '../../base/errors.ts';
import { DoesNotFit } from '../check/table-checker.ts';
import type { SourceFile } from '../load/source-file.ts';
import { type ConfigPath, formatPlace } from '../place.ts';
import type { EntryChecker } from '../problems/problems.ts';
import type { FoundProblem, Problems } from './problems.ts';

/** Gives up at the first problem, which it cannot tell. Warnings do not stop it. */
export class QuickCheck implements Problems {
  readonly checker: EntryChecker;
  readonly count = 0;
  readonly found = [];
  readonly warnings: FoundProblem[] = [];
  readonly #hasSeveralFiles: () => boolean;

  /** @param hasSeveralFiles whether the place of a listener begins with the name of its file. */
  constructor(checker: EntryChecker, hasSeveralFiles: () => boolean) {
    this.checker = checker;
    this.#hasSeveralFiles = hasSeveralFiles;
  }

  /** There is nothing to keep apart. */
  fork(): Problems {
    return this;
  }

  takeAll(): void {}

  readonly take = giveUp;
  readonly add = giveUp;
  readonly addUnknown = giveUp;
  readonly addAt = giveUp;
  readonly addDuplicate = giveUp;

  warn(code: Code, file: SourceFile, path: ConfigPath, seen: string, hint?: string): void {
    this.warnings.push(problemIn(code, file, path, seen, hint));
  }

  placeIn(file: Pick<SourceFile, 'label'>, path: ConfigPath): string {
    return placeAmong(this.#hasSeveralFiles(), file, path);
  }
}

function giveUp(): never {
  throw new DoesNotFit();
}

export function placeAmong(isOneOfSeveral: boolean, { label }: Pick<SourceFile, 'label'>, path: ConfigPath): string {
  return isOneOfSeveral ? `${label}: ${formatPlace(path)}` : formatPlace(path);
}

/** A problem at a path in a file. */
export function problemIn(
  code: Code,
  { label }: Pick<SourceFile, 'label'>,
  path: ConfigPath,
  seen: string,
  hint?: string,
): FoundProblem {
  const place = path.length === 0 ? label : formatPlace(path);
  return { failed: failure(code, place, seen, hint === undefined ? {} : { hint }), spot: { label, path } };
}
