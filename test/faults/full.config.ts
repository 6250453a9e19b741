/**
 * Vitest configuration of `npm run test:faults`: each fault lasts as long as figures need, and what was measured is
 * written to docs/reliability.json and docs/reliability.md. It takes about ten minutes.
 */
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import type { Reporter, TestModule } from 'vitest/node';
import shared from '../../vitest.config.ts';
import type { Figures } from './case.ts';
import { writeFigures } from './figures.ts';

/** Writes the figures of a run in which every case was played and passed. */
class WritesFigures implements Reporter {
  async onTestRunEnd(modules: readonly TestModule[]): Promise<void> {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const failed = tests.filter((test) => test.result().state !== 'passed');
    if (tests.length === 0 || failed.length > 0) {
      const names = failed.map(({ name }) => name.split(':', 1)[0]).join(', ');
      return void process.stderr.write(`\ndocs/reliability.md stays: not every case passed here (${names})\n`);
    }
    const figures = tests.flatMap((test) => test.meta().figures ?? []);
    await writeFigures({ cases: Object.fromEntries(figures.map(({ id, ...row }: Figures) => [id, row])) });
    process.stdout.write(`\ndocs/reliability.md has the figures of ${figures.length} cases\n`);
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
