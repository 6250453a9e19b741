import { SECTIONS } from '../promises/index.ts';
import type { Kept } from '../promises/promise.ts';

const INTRO = `# Promises

What users may rely on, part by part, with the tests that hold it. A test fails when a test named here is gone, and
\`npm run test:cuts\` breaks the code in one place per promise and checks that its test fails. What is pending comes with
the work named there; until then nothing of it is promised.

<!-- made by npm run docs from test/promises/ -->
`;

/** docs/promises.md as the tables in test/promises/ make it. */
export function promisesPage(): string {
  const parts = SECTIONS.map(
    ({ name, promises }) => `\n## ${name}\n\n| promise | held by |\n| --- | --- |\n${promises.map(rowOf).join('\n')}\n`,
  );
  return INTRO + parts.join('');
}

function rowOf(promise: Kept): string {
  return `| ${cell(promise.says)} | ${'held' in promise ? holdersOf(promise.held) : `pending: ${promise.pending}`} |`;
}

/** Each file once, with the titles of its tests. */
function holdersOf(held: Extract<Kept, { held: unknown }>['held']): string {
  const byFile = Map.groupBy(held, ({ file }) => file);
  return [...byFile]
    .map(([file, tests]) => `\`${file}\`: ${tests.map(({ title, row }) => cell(named(title, row))).join('; ')}`)
    .join('<br>');
}

const named = (title: string, row?: string): string => (row === undefined ? title : title.replace(/%\w/, () => row));

const cell = (text: string): string => text.replaceAll('|', '\\|');
