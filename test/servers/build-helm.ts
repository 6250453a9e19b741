import { ensureHelms } from './helm.ts';

/** What `npm run test:chart` does first. */
process.stdout.write(`${(await ensureHelms()).join('\n')}\n`);
