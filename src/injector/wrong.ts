import { printable } from '../base/printable.ts';

/** What keeps a pod from being injected. Neither text holds the value of an annotation. */
export interface Wrong {
  /** The full name of an annotation, or a path in the pod. */
  readonly where: string;
  readonly seen: string;
}

/** The most that a denial names; the rest is counted. */
export const MAX_NAMED = 10;
const MAX_LENGTH = 400;

/** All problems in one line, as the event of the pod's owner shows it. */
export function denialOf(wrong: readonly Wrong[]): string {
  const named = wrong.slice(0, MAX_NAMED).map(({ where, seen }) => oneLine(`${where} ${seen}`));
  const rest = wrong.length - named.length;
  return [...named, ...(rest > 0 ? [`${rest} more`] : [])].join('; ');
}

function oneLine(text: string): string {
  const line = printable(text.replace(/\s*[\r\n]+\s*/g, ' '));
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH - 1)}…` : line;
}
