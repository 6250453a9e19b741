import { expect, it } from 'vitest';
import { isSignalName, SIGNAL_NAMES, signalExitStatus } from '../../src/process/signals.ts';

it.each<[string, boolean]>([
  ['SIGHUP', true],
  ['SIGUSR1', true],
  ['HUP', false],
  ['sighup', false],
  ['1', false],
  ['', false],
  ['constructor', false],
  ['__proto__', false],
])('%j is a signal name: %s', (text, is) => {
  expect(isSignalName(text)).toBe(is);
});

it('every name gives 128 and its number as exit status', () => {
  expect(SIGNAL_NAMES).toContain('SIGTERM');
  expect(['SIGHUP', 'SIGINT', 'SIGKILL', 'SIGTERM'].map((name) => signalExitStatus(name as NodeJS.Signals))).toEqual([
    129, 130, 137, 143,
  ]);
});
