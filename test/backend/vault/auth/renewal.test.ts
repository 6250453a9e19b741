import { describe, expect, test } from 'vitest';
import { isExtended, renewAtMs, replaceMarginMs } from '../../../../src/backend/vault/auth/renewal.ts';

const YEAR_MS = 365 * 86_400_000;

describe('the renewal point', () => {
  test.each([
    [0, 60_000, 0.5, 40_000],
    [1000, 60_000, 0.5, 41_000],
    [0, 1000, 0.5, 667],
    [0, 60_000, 0, 38_000],
    [0, 60_000, 1, 42_000],
    [0, 10 * YEAR_MS, 0.5, (20 / 3) * YEAR_MS],
    [0, Number.POSITIVE_INFINITY, 0.5, Number.POSITIVE_INFINITY],
  ])('of a life from %d of %d ms, random %d, is %d', (started, life, random, expected) => {
    expect(renewAtMs(started, life, () => random)).toBeCloseTo(expected, -1);
  });
});

describe('the margin in which a failing renewal becomes a replacement', () => {
  test.each([
    [1000, 333],
    [9000, 3000],
    [30_000, 5000],
    [60_000, 10_000],
    [3_600_000, 600_000],
  ])('of a life of %d ms is %d ms', (life, margin) => {
    expect(replaceMarginMs(life)).toBeCloseTo(margin, 0);
  });
});

describe('a renewal has moved the end', () => {
  test.each([
    ['by its whole length', 60_000, 100_000, 60_000, true],
    ['not at all', 60_000, 60_000, 60_000, false],
    ['backwards', 60_000, 50_000, 60_000, false],
    ['by less than the rounding to whole seconds', 60_000, 60_900, 60_000, false],
    ['of a second by two thirds of it', 1000, 1667, 1000, true],
    ['of a second by a blink', 1000, 1090, 1000, false],
  ])('%s', (_, oldEnd, newEnd, life, moved) => {
    expect(isExtended(oldEnd, newEnd, life)).toBe(moved);
  });
});
