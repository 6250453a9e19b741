import { failure, failureAt } from '../../base/errors.ts';
import { type ConfigPath, formatPlace } from '../place.ts';
import type { FoundProblem } from './problems.ts';

/** A place in a text; both are counted from 1. */
export interface LineAndColumn {
  readonly line: number;
  readonly column: number;
}

/** A key that is in its map already. */
export interface RepeatedKey {
  readonly path: ConfigPath;
  readonly offset: number;
  readonly firstOffset: number;
}

/** A syntax error, whose place is its position. */
export function syntaxProblem(file: string, { line, column }: LineAndColumn, seen: string): FoundProblem {
  const failed = failure('CONFIG_MALFORMED', `${file}:${line}:${column}`, seen);
  return { failed: failureAt(failed, { file, line, column }) };
}

/** A key that is twice in one map. */
export function repeatedKey(file: string, path: ConfigPath, at: LineAndColumn, firstLine: number): FoundProblem {
  const failed = failure('CONFIG_DUPLICATE', formatPlace(path), `also defined in line ${firstLine}`);
  return { failed: failureAt(failed, { file, ...at }) };
}
