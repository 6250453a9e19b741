/**
 * Vitest configuration of `npm run test:faults`: each fault lasts as long as figures need, and what was measured is
 * written to docs/reliability.json and docs/reliability.md. It takes about ten minutes.
 */
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import type { Reporter, TestModule } from 'vitest/node';
import shared from '../../vitest.config.ts';
import type { Figures } from './case.ts';
import { CASES } from './cases/index.ts';
import { readFigures, writeFigures } from './figures.ts';

/** Writes the figures of the cases that passed: all, or with `-- -t NAME` some. A case that failed keeps its row. */
class WritesFigures implements Reporter {
  async onTestRunEnd(modules: readonly TestModule[]): Promise<void> {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const figures = tests.flatMap((test) => test.meta().figures ?? []);
    const before = await readFigures();
    const cases = { ...before.cases, ...Object.fromEntries(figures.map(({ id, ...row }: Figures) => [id, row])) };
    const known = CASES.flatMap(({ id }) => (cases[id] === undefined ? [] : [[id, cases[id]] as const]));
    await writeFigures({ cases: Object.fromEntries(known) });
    process.stdout.write(`\ndocs/reliability.md has new figures of ${figures.length} cases of ${CASES.length}\n`);
  }
}

export default defineConfig({
  ...shared,
  root: join(import.meta.dirname, '../..'),
  test: {
    ...shared.test,
    include: ['test/faults/**/*.test.ts'],
    env: { ...shared.test?.env, PANNIER_FAULTS: 'full' },
    reporters: ['default', new WritesFigures()],
  },
});
