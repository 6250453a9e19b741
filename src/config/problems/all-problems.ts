import type { Code } from '../../base/codes.ts';
import { failure } from '../../base/errors.ts';
import { didYouMean, thereIsNo } from '../../base/nearest.ts';
import type { SourceFile } from '../load/source-file.ts';
import { type ConfigPath, pathKey } from '../place.ts';
import type { FoundProblem, Problems, UnknownName } from './problems.ts';
import { placeAmong, problemIn } from './quick-check.ts';

/** Matches names. It is shorter than a UUID, an AWS secret key or a hash, which may be in a wrong place by mistake. */
const NAME_LIKE = /^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/;

/** Collects all problems of a configuration, so that they are reported together. */
export class AllProblems implements Problems {
  readonly checker: Problems['checker'];
  readonly found: FoundProblem[] = [];
  readonly warnings: FoundProblem[] = [];
  readonly #hasSeveralFiles: () => boolean;
  readonly #isCautious: boolean;

  /** @param hasSeveralFiles see `QuickCheck`. */
  constructor(checker: Problems['checker'], hasSeveralFiles: () => boolean, isCautious = false) {
    this.checker = checker;
    this.#hasSeveralFiles = hasSeveralFiles;
    this.#isCautious = isCautious;
  }

  get count(): number {
    return this.found.length;
  }

  fork({ isCautious } = { isCautious: this.#isCautious }): Problems {
    return new AllProblems(this.checker, this.#hasSeveralFiles, isCautious);
  }

  takeAll({ found, warnings }: Problems): void {
    this.found.push(...found);
    this.warnings.push(...warnings);
  }

  take(problem: FoundProblem): void {
    this.found.push(problem);
  }

  add(code: Code, file: Pick<SourceFile, 'label'>, path: ConfigPath, seen: string, hint?: string): void {
    if (code === 'CONFIG_MISSING' && this.#isMisspelt(path)) return;
    this.take(problemIn(code, file, path, seen, hint));
  }

  /** Whether a key that was told to be misspelt is meant to be this one, which is then no further problem. */
  #isMisspelt(path: ConfigPath): boolean {
    const meant = didYouMean(String(path.at(-1)));
    const beside = (other: ConfigPath) => pathKey(other.slice(0, -1)) === pathKey(path.slice(0, -1));
    return this.found.some(
      ({ failed, spot }) =>
        failed.code === 'CONFIG_UNKNOWN_KEY' && failed.seen.endsWith(meant) && spot !== undefined && beside(spot.path),
    );
  }

  addUnknown(code: Code, file: SourceFile, path: ConfigPath, unknown: UnknownName, hint?: string): void {
    const { what, name, near } = unknown;
    const isFilled = file.filled.has(pathKey(path));
    const isShown = !isFilled && (near !== undefined || (!this.#isCautious && NAME_LIKE.test(name)));
    const withoutName = `there is no ${what} with the name that ${isFilled ? 'the reference gave' : 'is written there'}`;
    const seen = isShown ? thereIsNo(what, name, near) : withoutName + didYouMean(near);
    this.add(code, file, path, seen, hint);
  }

  addAt(code: Code, place: string, seen: string, hint?: string): void {
    this.take({ failed: failure(code, place, seen, hint === undefined ? {} : { hint }) });
  }

  addDuplicate(first: SourceFile, second: SourceFile, path: ConfigPath): void {
    const found = problemIn('CONFIG_DUPLICATE', second, path, 'also defined at ');
    this.take({ ...found, first: { label: first.label, path } });
  }

  warn(code: Code, file: SourceFile, path: ConfigPath, seen: string, hint?: string): void {
    this.warnings.push(problemIn(code, file, path, seen, hint));
  }

  placeIn(file: Pick<SourceFile, 'label'>, path: ConfigPath): string {
    return placeAmong(this.#hasSeveralFiles(), file, path);
  }
}
