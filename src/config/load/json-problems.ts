import { JsonError, parseJson } from '../../base/json.ts';
import type { Problems } from '../problems/problems.ts';
import { type LineAndColumn, type RepeatedKey, repeatedKey, syntaxProblem } from '../problems/syntax.ts';

/** Adds where the text is no JSON. It is found by `parseJson`, whose message quotes nothing of the text. */
export function addSyntaxError(text: string, label: string, problems: Problems): void {
  try {
    parseJson(text);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    const what = error.message.replace(/ at offset \d+$/, '');
    problems.take(syntaxProblem(label, positionIn(text, error.offset), `not JSON: ${what}`));
    return;
  }
  problems.addAt('CONFIG_MALFORMED', label, 'not JSON');
}

/** Adds where maps and lists are nested too deep. */
export function addTooDeep(text: string, label: string, offset: number, problems: Problems): void {
  problems.take(syntaxProblem(label, positionIn(text, offset), 'nested too deep'));
}

/** Adds the keys that are twice in one map. */
export function addRepeatedKeys(text: string, label: string, keys: readonly RepeatedKey[], problems: Problems): void {
  for (const { path, offset, firstOffset } of keys) {
    const first = positionIn(text, firstOffset);
    problems.take(repeatedKey(label, path, positionIn(text, offset), first.line));
  }
}

function positionIn(text: string, offset: number): LineAndColumn {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
