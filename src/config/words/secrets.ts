import type { Words } from './words.ts';

/** Keys of every secret. */
export const secretsWords: Words = {
  'secrets.NAME.backend': {
    type: 'name',
    default: 'the only one',
    does: 'which backend; required when there are several',
    examples: ['bao'],
  },
  'secrets.NAME.refresh': {
    type: 'duration',
    default: '`5m`',
    does: 'how often a secret without a lease and without an end is fetched; a static role at the earlier of this and its rotation',
    examples: ['30s'],
  },
  'secrets.NAME.optional': {
    type: 'boolean',
    default: '`false`',
    does: 'when the first fetch fails the secret counts as absent and holds nothing up; an absent one is fetched again at its `refresh`, and logged once',
  },
  'secrets.NAME.maxStale': {
    type: 'duration',
    default: 'no limit',
    does: 'how old the last good value may grow while the backend fails',
    examples: ['24h'],
  },
};
