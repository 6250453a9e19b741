import type { Problem } from './problem.ts';
import { formatProblem } from './problem.ts';

/** Stands where a value has to be filled in, and where something was not converted. */
export const CHANGE = 'CHANGE-ME';

/**
 * Stands in a template where a part was not converted. It calls a helper that is not there, so that no file is
 * published without that part.
 */
export const markOf = (text: string): string => `{{${CHANGE} '${text.replaceAll("'", '')}'}}`;

/**
 * The section that lists what was not converted. No configuration has such a section, so none is valid before a person
 * has looked at each line.
 */
export function marksOf(problems: readonly Problem[]): string {
  if (problems.length === 0) return '';
  const lines = problems.map((problem) => `  - ${JSON.stringify(formatProblem(problem))}\n`);
  const head = '# What was not converted. The configuration is not valid until this section is removed.\n';
  return `${head}${CHANGE}:\n${lines.join('')}\n`;
}

/** The text without marks, on as many lines: to look for other mistakes in it, and to compare what was converted. */
export const withoutMarks = (text: string): string =>
  text
    .replace(new RegExp(`^${CHANGE}:\\n(?: {2}- .*\\n)+`, 'm'), (section) => section.replace(/[^\n]/g, ''))
    .replace(new RegExp(`\\{\\{${CHANGE} '[^']*'\\}\\}`, 'g'), '');
