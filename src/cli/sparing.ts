/**
 * A configuration this long (in characters) names some fifty secrets; for less, loading node:v8 costs more than it
 * saves.
 */
const LARGE = 4 * 1024;

/** And this long some 2,500. */
const HUGE = 192 * 1024;

/**
 * V8 while the secrets of a start come, all at once and each handled once. To optimise code pays for itself only after
 * thousands of them, and its compilers, on threads of their own, take 20 MiB. And the young generation, which V8
 * doubles while much survives, stays as it is. Peak memory of init with 1,000 secrets 110 MiB before, 79 MiB after, for
 * the same CPU.
 */
const SPARING = ['--no-opt', '--no-maglev', '--semi-space-growth-factor=1'];

/** What is dead is collected sooner. Peak memory of init with 5,000 secrets 147 MiB before, 105 MiB after. */
const MORE_SPARING = ['--heap-growing-percent=15'];

/** As V8 has it by itself. */
const USUAL = ['--opt', '--maglev', '--semi-space-growth-factor=2', '--heap-growing-percent=0'];

/**
 * Tunes V8 for a start with a long configuration. It is called before the configuration is parsed, since memory begins
 * to grow then.
 * @param length of all files so far, in characters.
 * @param text of the last file.
 */
export function tuneForLargeConfig(length: number, text: string): void {
  if (length < LARGE) return;
  // Under other flags V8 takes no compiled code from Node, and what speaks to the backend is loaded later: 9 ms for
  // http, more for https.
  process.getBuiltinModule(text.includes('https://') ? 'node:https' : 'node:http');
  setFlags(SPARING);
  if (length >= HUGE) setFlags(MORE_SPARING);
}

/**
 * After the start, for an agent that stays: from now on what is done often is done fast, and what the start needed is
 * given back to the system. V8 by itself would get there as well, in minutes, and keep more. Resident memory of run
 * with 1,000 secrets 85 MiB before, 68 MiB after; it takes some 30 ms, once.
 */
export function releaseStartMemory(): void {
  setFlags([...USUAL, '--expose-gc']);
  const collect = process.getBuiltinModule('node:vm').runInNewContext('gc') as (how: object) => void;
  setFlags(['--no-expose-gc']);
  collect({ type: 'major', flavor: 'last-resort' });
}

function setFlags(flags: readonly string[]): void {
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  for (const flag of flags) setFlagsFromString(flag);
}
