import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { backoffMs } from '../../src/base/backoff.ts';
import { napEndMs, systemClock } from '../../src/base/clock.ts';
import { formatDuration, parseDuration } from '../../src/base/duration.ts';

describe('durations', () => {
  it.each([
    ['500ms', 500],
    ['1h30m', 5_400_000],
    ['30d', 2_592_000_000],
    ['1.5s', 1_500],
    ['0s', 0],
  ])('%s is %i ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(['', '30', '5 m', '-1s', '1w', 's', '1e3s', '999999d', 'NaNs'])('%j is no duration', (text) =>
    expect(parseDuration(text)).toBeUndefined(),
  );

  it.each([
    [0, '0s'],
    [250, '250ms'],
    [5_400_000, '1h30m'],
    [90_061_000, '1d1h1m1s'],
  ])('%i ms reads %s', (ms, text) => expect(formatDuration(ms)).toBe(text));
});

describe('backoff', () => {
  it('stays between the floor and a ceiling that doubles up to the cap, for any number of failures', () => {
    for (const failures of [1, 2, 3, 10, 1_000]) {
      const ceiling = Math.min(30_000, 500 * 2 ** (failures - 1));
      expect(backoffMs(failures, () => 0)).toBe(250);
      expect(backoffMs(failures, () => 1)).toBe(ceiling);
      for (let i = 0; i < 50; i++) {
        const ms = backoffMs(failures, Math.random);
        expect(ms).toBeGreaterThanOrEqual(250);
        expect(ms).toBeLessThanOrEqual(ceiling);
      }
    }
  });

  it('follows the Retry-After of a server, up to five minutes', () => {
    expect(backoffMs(1, () => 0, 12_000)).toBe(12_000);
    expect(backoffMs(1, () => 0, 1e12)).toBe(300_000);
  });

  it.each([0, 1, 999])('ignores a Retry-After of %i ms', (askedMs) => {
    expect([1, 5, 10].map((failures) => backoffMs(failures, () => 1, askedMs))).toEqual([500, 8_000, 30_000]);
    expect(backoffMs(10, () => 1, 1_000)).toBe(1_100);
  });
});

describe('the system clock', () => {
  it('wakes all long waits at the same moments, at most 30 s ahead', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'hrtime'] });
    onTestFinished(() => void vi.useRealTimers());
    const woken: number[] = [];
    const firstMs = systemClock.monoMs();
    vi.advanceTimersByTime(napEndMs(firstMs) - firstMs);
    const startMs = systemClock.monoMs();
    const wake = () => woken.push(Math.round(systemClock.monoMs() - startMs));
    vi.advanceTimersByTime(7_000);
    systemClock.after(86_400_000, wake);
    vi.advanceTimersByTime(4_000);
    systemClock.after(30_001, wake);
    systemClock.after(5_000, wake);
    vi.advanceTimersByTime(18_999);
    expect(woken).toEqual([16_000]);
    vi.advanceTimersByTime(1);
    expect(woken).toEqual([16_000, 30_000, 30_000]);
    systemClock.after(86_400_000, wake);
    vi.advanceTimersByTime(30_000);
    expect(woken.at(-1)).toBe(60_000);
  });

  it('a sleep ends when its signal aborts, also when it was aborted before', async () => {
    const abort = new AbortController();
    const sleeping = systemClock.sleep(86_400_000 * 365, abort.signal);
    abort.abort();
    await sleeping;
    await systemClock.sleep(1_000_000, abort.signal);
  });

  it('a sleep of some milliseconds lasts at least that long', async () => {
    const start = performance.now();
    await systemClock.sleep(20, new AbortController().signal);
    expect(performance.now() - start).toBeGreaterThanOrEqual(20);
  });
});
