import type { Position } from '../../render/template/position.ts';
import type { HclString } from './tree.ts';
import { unescapeHcl } from './unescape.ts';

/** Where in the file a part of a text stands, by its offset in the text. */
export function positionIn({ at, value, written, body }: HclString, offset: number): Position {
  if (body !== undefined) {
    const before = value.slice(0, offset);
    const lineStart = before.lastIndexOf('\n') + 1;
    return { line: body.line + before.split('\n').length - 1, column: offset - lineStart + body.margin + 1 };
  }
  // With escapes the text is written longer than it is: find how much of it makes the text up to there.
  let low = 0;
  let high = written?.length ?? 0;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lengthOf((written as string).slice(0, middle)) < offset) low = middle + 1;
    else high = middle;
  }
  return { line: at.line, column: at.column + 1 + (written === undefined ? offset : low) };
}

/** The length of a beginning of a text; an escape that it cuts through does not count. */
function lengthOf(written: string): number {
  for (let cut = 0; cut < 10; cut++) {
    const text = unescapeHcl(written.slice(0, Math.max(0, written.length - cut)));
    if (typeof text === 'string') return text.length;
  }
  return 0;
}
