import { defineConfig } from 'vitest/config';
import { NoSkips } from './test/skips.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    globalSetup: ['test/global-setup.ts'],
    // A busy machine must not lose a whole run for one missed moment; the reporter names what needed a second try.
    retry: process.env['CI'] === 'true' ? 1 : 0,
    reporters: process.env['CI'] === 'true' ? ['default', new NoSkips()] : ['default'],
    pool: 'forks',
    maxWorkers: 2,
    env: { VAULT_ADDR: '', VAULT_TOKEN: '', BAO_ADDR: '', BAO_TOKEN: '' },
  },
});
