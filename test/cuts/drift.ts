import { type Cut, cutIn } from './cut.ts';

const record = cutIn('src/deliver/file/published-record.ts');
const goingBack = cutIn('src/deliver/file/going-back.ts');
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
  goingBack('drift-never-back', 'return await remembered.isUntouched(volume, folder);', 'return true;', {
    by: 'leaves a generation out',
  }),
  goingBack('drift-never-back', '|| timeOf(root) !== made', '', { by: 'of an earlier process out after' }),
  goingBack('drift-never-back', '|| found.ctimeMs > root.ctimeMs', '', { by: 'of an earlier process out after' }),
  goingBack('drift-never-back', 'if (made === undefined) return false;', 'if (made === undefined) return true;', {
    by: 'of which nothing is known',
  }),
  cutIn('src/deliver/file/generations.ts')('drift-never-back', ' && !this.#spoiled.has(number)', '', {
    by: 'is never gone back to',
  }),
  cutIn('src/deliver/file/generations.ts')('no-back-to-bad', 'this.#takenBack.add(generation);', ''),
  cutIn('src/deliver/file/generations.ts')(
    'no-back-to-bad',
    'this.#made.delete(generation);\n  }\n\n  remember',
    '}\n\n  remember',
  ),
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
  owners(
    'one-agent',
    "if (placed.kind === 'owned') throw (await import('./take-over.ts')).inUse(dir, placed.seen, place);",
    '',
  ),
  owners('one-agent', 'const ATTEMPTS = 10;', 'const ATTEMPTS = 1;', { by: 'whose sinks begin at once' }),
  cutIn('src/deliver/file/take-over.ts')(
    'one-agent',
    "if (typeof owner === 'object' && owner.kind === 'owned') throw inUse(dir, owner.seen, place);",
    '',
    {
      by: 'makes no socket',
    },
  ),
  cutIn('src/deliver/file/take-over.ts')(
    'dead-owner',
    "new Set(['ECONNREFUSED', 'ENOTSOCK'])",
    "new Set(['ENOTSOCK'])",
  ),
  cutIn('src/deliver/place-socket.ts')('dead-owner', 'const still = await look(path);', 'const still = found;', {
    by: 'does not replace a faster one',
  }),
];
