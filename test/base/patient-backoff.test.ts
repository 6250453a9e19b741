import { describe, expect, it } from 'vitest';
import { backoffMs, paceMs, patientBackoffMs } from '../../src/base/backoff.ts';

const ends = (failures: number, pace: number, quickTries?: number) =>
  [() => 0, () => 1].map((random) => {
    return patientBackoffMs(failures, random, pace, quickTries === undefined ? {} : { quickTries });
  });

describe('backoff of what need not hurry', () => {
  it('begins with three quick tries, as troubles are often over in a second or two', () => {
    for (const failures of [1, 2, 3]) {
      expect(ends(failures, 300_000)).toEqual([backoffMs(failures, () => 0), backoffMs(failures, () => 1)]);
    }
  });

  it('then comes anywhere within the pace, and from then on once per pace', () => {
    expect(ends(4, 300_000)).toEqual([250, 300_000]);
    expect(ends(5, 300_000)).toEqual([270_000, 330_000]);
    expect(ends(500, 300_000)).toEqual([270_000, 330_000]);
    expect(ends(1, 300_000, 0)).toEqual([250, 300_000]);
  });

  it('is that of everything else where the pace is shorter than its cap', () => {
    for (const failures of [1, 4, 9]) expect(ends(failures, 30_000)).toEqual(ends(failures, 0));
  });

  it('waits no longer than the cap that is given for what ends soon, and never longer than 30 s', () => {
    const latest = (capMs: number) => patientBackoffMs(9, () => 1, 0, { capMs });
    expect([latest(2_500), latest(0), latest(90_000)]).toEqual([2_500, 1_000, 30_000]);
  });

  it('waits at least as long as the server asks with Retry-After', () => {
    const options = { retryAfterMs: 200_000 };
    expect(patientBackoffMs(4, () => 0, 300_000, options)).toBe(200_000);
    expect(patientBackoffMs(4, () => 1, 300_000, options)).toBe(300_000);
    expect(patientBackoffMs(1, () => 0, 300_000, options)).toBe(200_000);
  });

  it('has the pace of a quarter of what is left, so that tries come closer as the end does', () => {
    expect([paceMs(1_200_000, 300_000), paceMs(200_000, 300_000), paceMs(0, 300_000)]).toEqual([300_000, 50_000, 0]);
    expect(paceMs(Number.POSITIVE_INFINITY, 300_000)).toBe(300_000);
  });
});
