import type { Walk } from './walk.ts';

const START = 'docs/getting-started.md';

/** Another test makes the executable, and `pannier` is on the path of a walk already. */
const skips = ['npm ci && npm run sea', 'export PATH="$PWD/build:$PATH"'];

/** The agent of getting-started is running, with the first value. */
const running = { after: { page: START, until: '5. A new value' }, skips };

/** `pannier.yaml` is there, and the server, but no agent. */
const prepared = { after: { page: START, until: '4. Once, and then continuously' }, skips };

/** The pages whose commands are run and whose samples are made by running them. */
export const WALKS: readonly Walk[] = [
  { page: START, skips, leavesNothing: true },
  { page: 'docs/first-errors.md', ...prepared },
  { page: 'docs/operations.md', ...running },
  { page: 'docs/agent.md', ...running },
  { page: 'docs/api.md', ...running },
  { page: 'docs/proxy.md', ...running },
  { page: 'docs/errors.md', ...prepared },
  { page: 'docs/exec.md', leavesNothing: true },
];
