import { describe, expect, it } from 'vitest';
import { amountOf, exceeds } from '../../src/injector/pod/amount.ts';

describe('a quantity of Kubernetes', () => {
  it.each([
    ['0', 0],
    ['250m', 0.25],
    ['1.5Gi', 1.5 * 2 ** 30],
    ['1e3', 1000],
    ['2E', 2e18],
    ['64M', 64e6],
    ['5u', 5e-6],
  ])('%s is a number', (text, number) => {
    expect(amountOf(text)).toBeCloseTo(number, 12);
  });

  it.each(['', ' 1', '1MI', '-1', '1e', 'e3', '1.', '.5', '1ki', '1e123'])('"%s" is none', (text) => {
    expect(amountOf(text)).toBeUndefined();
  });

  it('is more than another one by what it stands for', () => {
    expect(exceeds('1', '999m')).toBe(true);
    expect(exceeds('64M', '64Mi')).toBe(false);
    expect(exceeds('0.5', '500m')).toBe(false);
  });
});
