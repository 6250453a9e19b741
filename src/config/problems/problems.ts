import type { Code } from '../../base/codes.ts';
import { type Failure, failure } from '../../base/errors.ts';
import { didYouMean, thereIsNo } from '../../base/nearest.ts';
import type { EntryChecker } from '../check/entry-checker.ts';
import type { SourceFile } from '../load/source-file.ts';
import { type ConfigPath, formatPlace, pathKey } from '../place.ts';
import { type CheckableRest, ConfigProblemsError } from './config-problems.ts';

/** A name that does not exist. */
export interface UnknownName {
  /** What it should be the name of, such as `secret`. */
  readonly what: string;
  readonly name: string;
  /** The name that was probably meant. */
  readonly near: string | undefined;
}

/** Matches names. It is shorter than a UUID, an AWS secret key or a hash, which may be in a wrong place by mistake. */
const NAME_LIKE = /^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/;

/** Collects all problems of a configuration, so that they are reported together. */
export class Problems {
  readonly warnings: Failure[] = [];
  readonly #found: Failure[] = [];
  readonly #checker: EntryChecker | undefined;
  /** Whether there are several files, so that each place begins with the name of its file. */
  several = false;

  /** @param checker absent: no entries are checked yet. */
  constructor(checker?: EntryChecker) {
    this.#checker = checker;
  }

  /** What entries are checked by. @throws TypeError when there is none. */
  get checker(): EntryChecker {
    if (this.#checker === undefined) throw new TypeError('entries are checked once all files are read');
    return this.#checker;
  }

  /** What was found so far, to go on with a checker. */
  with(checker: EntryChecker): Problems {
    const next = new Problems(checker);
    next.several = this.several;
    next.warnings.push(...this.warnings);
    next.#found.push(...this.#found);
    return next;
  }

  get count(): number {
    return this.#found.length;
  }

  /** Adds a problem at a path in a file. `hint` replaces the code's own. */
  add(code: Code, file: SourceFile, path: ConfigPath, seen: string, hint?: string): void {
    this.addAt(code, this.placeIn(file, path), seen, hint);
  }

  /**
   * Adds a name that does not exist. The message shows the name, unless a reference gave it or it does not look like a
   * name: it may be a secret in a wrong place.
   */
  addUnknown(code: Code, file: SourceFile, path: ConfigPath, unknown: UnknownName, hint?: string): void {
    const { what, name, near } = unknown;
    const isFilled = file.filled.has(pathKey(path));
    const isShown = !isFilled && (near !== undefined || NAME_LIKE.test(name));
    const withoutName = `there is no ${what} with the name that ${isFilled ? 'the reference gave' : 'is written there'}`;
    const seen = isShown ? thereIsNo(what, name, near) : withoutName + didYouMean(near);
    this.add(code, file, path, seen, hint);
  }

  /** Adds a problem at a place that the caller words. */
  addAt(code: Code, place: string, seen: string, hint?: string): void {
    this.#found.push(failure(code, place, seen, hint === undefined ? {} : { hint }));
  }

  /** Adds a warning at a path in a file. */
  warn(code: Code, file: SourceFile, path: ConfigPath, seen: string, hint?: string): void {
    this.warnings.push(failure(code, this.placeIn(file, path), seen, hint === undefined ? {} : { hint }));
  }

  /** The place of a path in a file, as messages show it. */
  placeIn(file: Pick<SourceFile, 'label'>, path: ConfigPath): string {
    if (path.length === 0) return file.label;
    return this.several ? `${file.label}: ${formatPlace(path)}` : formatPlace(path);
  }

  /**
   * @throws ConfigProblemsError when there are problems.
   * @param rest the entries without problems.
   */
  throwIfAny(rest?: CheckableRest): void {
    if (this.#found.length > 0) throw new ConfigProblemsError(this.#found, rest);
  }
}
