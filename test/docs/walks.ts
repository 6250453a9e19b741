import type { Walk } from './walk.ts';

const START = 'docs/getting-started.md';

/** Another test makes the executable, and `pannier` is on the path of a walk already. */
const skips = ['npm ci && npm run sea', 'export PATH="$PWD/build:$PATH"'];

/** The pages whose commands are run and whose samples are made by running them. */
export const WALKS: readonly Walk[] = [
  { page: START, skips, leavesNothing: true },
  { page: 'docs/first-errors.md', after: { page: START, until: '4. Once, and then continuously' }, skips },
  { page: 'docs/operations.md', after: { page: START, until: '5. A new value' }, skips },
  { page: 'docs/exec.md', leavesNothing: true },
];
