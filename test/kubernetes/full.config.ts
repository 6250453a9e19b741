/**
 * Vitest configuration of `npm run test:kubernetes`: the tests on a real API server. It alone builds the server, once,
 * where `KUBEBUILDER_ASSETS` names none.
 */
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import shared from '../../vitest.config.ts';
import { KUBERNETES_SWITCH } from '../servers/kubernetes-programs.ts';

export default defineConfig({
  ...shared,
  root: join(import.meta.dirname, '../..'),
  test: {
    ...shared.test,
    include: ['test/kubernetes/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts', 'test/kubernetes/build-servers.ts'],
    env: { ...shared.test?.env, [KUBERNETES_SWITCH]: 'yes' },
    testTimeout: 60_000,
    hookTimeout: 180_000,
    maxWorkers: 1, // Each file starts a server of its own, which takes 400 MiB.
    reporters: ['default'],
  },
});
