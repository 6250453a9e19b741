import { readFile, writeFile } from 'node:fs/promises';
import { errorsPage } from '../test/docs/errors-page.ts';
import { promisesPage } from '../test/docs/promises-page.ts';

/** Writes the pages that are made from code. A test compares them, so a forgotten run is noticed. */
const page = errorsPage(await readFile('docs/errors.md', 'utf8').catch(() => ''));
await writeFile('docs/errors.md', page);
await writeFile('docs/promises.md', promisesPage());
