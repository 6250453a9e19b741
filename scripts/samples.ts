import { readFile, writeFile } from 'node:fs/promises';
import { withSamples } from '../test/docs/steps.ts';
import { walk } from '../test/docs/walk.ts';
import { WALKS } from '../test/docs/walks.ts';

/**
 * `npm run docs:samples [PAGE…]` runs the commands of the pages in bash and writes what the terminal showed into the
 * pages. A sample that differs in times and ids only is left as it is.
 */
const asked = process.argv.slice(2);
for (const options of WALKS) {
  const { page } = options;
  if (asked.length > 0 && !asked.includes(page)) continue;
  const { shown } = await walk(options, 'bash');
  const before = await readFile(page, 'utf8');
  const after = withSamples(before, shown);
  if (after !== before) await writeFile(page, after);
  process.stdout.write(`${page}: ${shown.length} blocks run, ${after === before ? 'unchanged' : 'samples written'}\n`);
}
