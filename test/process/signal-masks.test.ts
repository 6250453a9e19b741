import { expect, it } from 'vitest';
import { isUnhandled } from '../../src/process/signal-masks.ts';

const masks = (blocked: bigint, ignored: bigint, caught: bigint) =>
  [
    ['ShdPnd', 0n],
    ['SigBlk', blocked],
    ['SigIgn', ignored],
    ['SigCgt', caught],
    ['CapInh', 0n],
  ]
    .map(([name, mask]) => `${name}:\t${mask?.toString(16).padStart(16, '0')}`)
    .join('\n');

it.each<[string, string, boolean]>([
  ['nothing is said of it', masks(0n, 0n, 0n), true],
  ['others are handled', masks(0b10n, 0b100n, ~1n & (2n ** 64n - 1n)), true],
  ['it is handled', masks(0n, 0n, 1n), false],
  ['it is ignored', masks(0n, 1n, 0n), false],
  ['it is blocked', masks(1n, 0n, 0n), false],
  ['there are no masks', 'Name:\tsh\n', false],
])('a signal is unhandled when %s: %s', (_title, status, unhandled) => {
  expect(isUnhandled(status, 1)).toBe(unhandled);
});

it('signals 1 to 64 are found in the masks', () => {
  expect(isUnhandled(masks(0n, 0n, 2n ** 63n), 64)).toBe(false);
  expect(isUnhandled(masks(0n, 0n, 2n ** 14n), 15)).toBe(false);
});
