import { MASK } from '../../render/template/mask.ts';

/** Shown in place of a line that may be all value. */
export const HIDDEN = '[a line that is not shown]';

/**
 * Shows lines of a real file as lines of its masked rendering. So a published file can be shown beside a new one,
 * although the agent no longer knows the old values that it would have to mask.
 *
 * The result is always a line of the masked rendering or a constant, so it never holds a value. It is the masked line
 * that the real line fits, where a mark fits any text; when several fit, it is the one with the most other text.
 */
export function createLineMask(masked: readonly string[]): (line: string) => string {
  const patterns = [...new Set(masked)].map((line) => ({ line, parts: line.split(MASK) }));
  patterns.sort((a, b) => weight(b.parts) - weight(a.parts));
  return (line) => patterns.find(({ parts }) => fits(line, parts))?.line ?? HIDDEN;
}

const weight = (parts: readonly string[]): number => parts.join('').trim().length;

/** Whether `line` is these parts with any text between them. Taking the first place where a part fits is enough. */
function fits(line: string, parts: readonly string[]): boolean {
  const [first = '', ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return line === first;
  if (!line.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = line.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return line.length - last.length >= at && line.endsWith(last);
}
