import { type Cut, cutIn } from './cut.ts';

const plan = cutIn('src/agent/create-plan.ts');
const unused = cutIn('src/agent/unused.ts');
const lines = cutIn('src/backend/vault/policy-lines.ts');
const advice = cutIn('src/backend/vault/source/advice.ts');
const read = cutIn('src/backend/vault/source/read.ts');

export const ADVICE: readonly Cut[] = [
  plan('unused-is-told', 'read.size === secrets.size && ', ''),
  unused('unused-is-told', 'filter((name) => !asked.has(name))', 'filter(() => false)', {
    by: 'backends that nothing',
  }),
  plan('unused-is-told', 'const isIdle = rendered.length === 0 &&', 'const isIdle = rendered.length < 0 &&', {
    by: 'nothing to do',
  }),
  plan('used-is-not-told', 'new Set(servedSecrets(config))', 'new Set<string>()'),
  plan('used-is-not-told', 'for (const name of renderer.asks) asked.add(name);', '', { by: 'computes' }),
  plan('used-is-not-told', 'new Set(servedBackends(config))', 'new Set<string>()', { by: 'of its own' }),
  cutIn('src/backend/vault/source/kv-path.ts')(
    'denied-shows-policy',
    'return version === 2 ? `${mount}data/${rest}` : mount + rest;',
    'return version === 2 ? `${mount}/data/${rest}` : mount + rest;',
  ),
  advice('denied-shows-policy', ' in namespace ${namespace}`', '`', { by: 'in its namespace' }),
  lines('denied-shows-policy', "capabilities: ['list'] }", "capabilities: ['read'] }", { by: 'a list of names' }),
  advice(
    'denied-shows-mounts',
    'if (mount !== undefined || mounts === undefined) return',
    'if (mounts !== null) return',
  ),
  advice('denied-shows-mounts', 'meant === undefined ?', 'meant !== undefined ?', { by: 'misspelt' }),
  advice('denied-shows-mounts', 'if (status === 404) return `', 'if (status === 405) return `', {
    by: 'is said to be missing',
  }),
  advice('mounts-asked-seldom', 'if (mounts !== undefined) this.#seen =', 'if (mounts === null) this.#seen ='),
  advice('mounts-asked-seldom', '- this.#seen.monoMs < LIST_MS', '- this.#seen.monoMs < 1e12', { by: 'five minutes' }),
  advice('mounts-asked-seldom', 'deadline(clock, MAX_WAIT_MS,', 'deadline(clock, 1e9,', { by: 'two seconds' }),
  cutIn('src/backend/vault/config/resolve-request.ts')(
    'read-of-kv2-is-told',
    'if (givenEnd === undefined) warnOfKv2(',
    'if (givenEnd !== undefined) warnOfKv2(',
  ),
  cutIn('src/backend/vault/config/resolve-request.ts')(
    'kv-data-is-told',
    'if (mount === undefined && kvVersion !== 1) warnOfData(',
    'if (mount !== undefined && kvVersion !== 1) warnOfData(',
    { by: 'is a warning that says' },
  ),
  cutIn('src/backend/vault/source/kv-path.ts')(
    'kv-data-is-told',
    'version === 2 && (configured === undefined ||',
    'version === 2 && (configured !== null ||',
    { by: 'takes what follows' },
  ),
  read('read-of-kv2-is-told', '!told.has(path)', 'told.size >= 0', { by: 'one warning at the first answer' }),
];
