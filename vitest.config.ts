import { defineConfig } from 'vitest/config';
import { NoSkips } from './test/skips.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    globalSetup: ['test/global-setup.ts'],
    reporters: process.env['CI'] === 'true' ? ['default', new NoSkips()] : ['default'],
    pool: 'forks',
    maxWorkers: 2,
    env: { VAULT_ADDR: '', VAULT_TOKEN: '', BAO_ADDR: '', BAO_TOKEN: '' },
  },
});
