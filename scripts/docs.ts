import { readFile, writeFile } from 'node:fs/promises';
import { chartPage } from '../test/docs/chart-page.ts';
import { configurationPage } from '../test/docs/configuration-page.ts';
import { errorsPage } from '../test/docs/errors-page.ts';
import { importPage } from '../test/docs/import-page.ts';
import { injectorPage } from '../test/docs/injector-page.ts';
import { metricsPage } from '../test/docs/metrics-page.ts';
import { promisesPage } from '../test/docs/promises-page.ts';
import { referencePage } from '../test/docs/reference-page.ts';
import { reliabilityPage } from '../test/docs/reliability-page.ts';
import { templatesPage } from '../test/docs/templates-page.ts';
import { readFigures } from '../test/faults/figures.ts';
import { policyFiles } from './admission-policy/files.ts';

/** `npm run docs` writes what is made from code: pages, tables, manifests. Tests fail when one is not up to date. */
await writeFile('docs/errors.md', errorsPage(await readFile('docs/errors.md', 'utf8').catch(() => '')));
await writeFile('docs/metrics.md', await metricsPage(await readFile('docs/metrics.md', 'utf8')));
await writeFile('docs/templates.md', templatesPage(await readFile('docs/templates.md', 'utf8')));
await writeFile('docs/import.md', importPage(await readFile('docs/import.md', 'utf8')));
await writeFile('docs/injector.md', await injectorPage(await readFile('docs/injector.md', 'utf8')));
const chart = 'examples/helm/pannier-injector/README.md';
await writeFile(chart, chartPage(await readFile(chart, 'utf8')));
await writeFile('docs/promises.md', promisesPage());
await writeFile('docs/configuration.md', await configurationPage(await readFile('docs/configuration.md', 'utf8')));
await writeFile('docs/reference.md', await referencePage());
await writeFile('docs/reliability.md', reliabilityPage(await readFigures()));
for (const [path, text] of policyFiles()) await writeFile(path, text);
