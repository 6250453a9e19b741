import { type Cut, cutIn } from './cut.ts';

const record = cutIn('src/deliver/file/published-record.ts');
const keeper = cutIn('src/agent/output/drift-keeper.ts');
const owners = cutIn('src/deliver/file/owners.ts');

export const DRIFT: readonly Cut[] = [
  record('drift-found', 'if (!isSame) differs(`${name} has other bytes`);', ''),
  record('drift-found', "if (!isOpen) differs(`mode or owner of ${name}`, 'access');", ''),
  cutIn('src/deliver/file/drift.ts')(
    'drift-found',
    'if (found === undefined) return',
    'if (found === undefined) return []; else if (found === null) return',
    { by: 'finds that %s' },
  ),
  cutIn('src/agent/output/loop.ts')(
    'drift-restored',
    "if (result.kind === 'restore') await this.#restore(result.differences, signal);",
    '',
  ),
  cutIn('src/agent/output/loop.ts')(
    'drift-restored',
    "differences.every((one) => one.of === 'access')",
    'differences.length === 0',
    { by: 'for a mode or an owner' },
  ),
  cutIn('src/deliver/file/links.ts')('drift-at-start', '(await wasOurs(name))', 'name === undefined'),
  cutIn('src/observe/health.ts')('drift-told', 'outputProblem(output) ?? driftOf(output)', 'outputProblem(output)'),
  keeper('drift-told', "if (drift === 'report') {", 'if (place === output) {', { by: 'is left as it is' }),
  cutIn('src/agent/output/restore-times.ts')('drift-no-loop', 'FIRST_MS * 2 ** this.#count', 'FIRST_MS'),
  keeper('drift-no-loop', 'if (waitMs === 0) this.#restores.restores();', '', { by: 'without a look in between' }),
  keeper('drift-no-mix', 'this.#restoreAtMs = this.#restores.dueMonoMs();', 'this.#restoreAtMs = Infinity;', {
    slow: true,
  }),
  cutIn('src/deliver/file/generations.ts')('drift-never-back', ' && !this.#spoiled.has(number)', ''),
  record(
    'drift-no-bytes',
    'files.map(({ bytes, ...file }) => ({ ...file,',
    'files.map(({ bytes, ...file }) => ({ ...file, bytes,',
  ),
  cutIn('src/deliver/file/links.ts')(
    'drift-keeps-theirs',
    "if (errnoOf(error) !== 'EISDIR') throw error;",
    'if (name) throw error;',
  ),
  owners('one-agent', "if (found.kind === 'owned') throw inUse(dir, found.seen, place);", ''),
  cutIn('src/deliver/file/take-over.ts')(
    'one-agent',
    "if (answer.kind === 'owned') throw inUse(dir, answer.seen, place);",
    '',
    {
      by: 'makes no socket',
    },
  ),
  cutIn('src/deliver/file/take-over.ts')(
    'dead-owner',
    "new Set(['ECONNREFUSED', 'ENOENT', 'ENOTSOCK'])",
    "new Set(['ENOENT'])",
  ),
];
