import { type Code, codeTable } from '../../src/base/codes.ts';
import { MEANINGS } from '../../src/base/meanings.ts';

const START = '<!-- table made by npm run docs -->';

const INTRO = `# Errors

Every failure has a stable code, the place it concerns, what was seen there, and what to do next:

In the JSON log the parts are the fields \`code\`, \`place\`, \`seen\` and \`hint\`. A failure never holds a value, a template's
output, a command's output, or the text of a foreign error.

The exit status is that of the command that ends with the failure: 1 runtime failure, 2 configuration or usage,
3 backend unreachable in time, 4 login or permission denied; of several causes the first of 2, 4, 3, 1.
A warning (–) is told and ends nothing.

`;

/** docs/errors.md with the table that the codes make; the text above it is taken from `current`. */
export function errorsPage(current: string): string {
  const intro = current.includes(START) ? current.slice(0, current.indexOf(START)) : INTRO;
  const rows = Object.entries(codeTable()).map(([code, { exit, hint }]) => {
    const meaning = MEANINGS[code as Code];
    return `| \`${code}\` | ${meaning.endsWith('(a warning).') ? '–' : exit} | ${meaning} | ${hint} |`;
  });
  return `${intro}${START}\n\n| code | exit | meaning | what to do |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}
