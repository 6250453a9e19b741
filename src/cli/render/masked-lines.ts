import { MASK } from '../../render/template/mask.ts';

/** Shown for a line of which nothing is known to be no value. */
export const HIDDEN = '[a line that is not shown]';

/**
 * Shows lines of a real file as lines of its masked rendering, so that a published file, whose old values nobody knows
 * any more, can be shown beside a new one.
 *
 * What comes out is always a line of the masked rendering or a constant, so no value can: a line is shown as the masked
 * line that it fits, marks standing for anything, and of several as the one that says most.
 */
export function createLineMask(masked: readonly string[]): (line: string) => string {
  const patterns = [...new Set(masked)].map((line) => ({ line, parts: line.split(MASK) }));
  patterns.sort((a, b) => weight(b.parts) - weight(a.parts));
  return (line) => patterns.find(({ parts }) => fits(line, parts))?.line ?? HIDDEN;
}

const weight = (parts: readonly string[]): number => parts.join('').trim().length;

/** Whether `line` is these parts with anything between them. The first fit of each part is as good as a later one. */
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
