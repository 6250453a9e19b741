import { describe, expect, it } from 'vitest';
import type { LeaseLife, Life } from '../../src/backend/backend.ts';
import { Secret } from '../../src/base/secret.ts';
import {
  decide,
  endStayed,
  endsMonoMs,
  MIN_LIFE_MS,
  type ScheduleInput,
  stoppedExtending,
} from '../../src/lease/schedule.ts';

const now = { wallMs: 1_000_000, monoMs: 5_000 };
const lowest = () => 0;
const highest = () => 0.999_999;
const leaseId = Secret.text('lease');

function lease(ttlMs: number, renewable = true, startedMonoMs = now.monoMs): LeaseLife {
  return { kind: 'lease', leaseId, ttlMs, renewable, startedMonoMs, loginId: 1 };
}

function situation(life: Life, more: Partial<ScheduleInput> = {}): ScheduleInput {
  return { life, fetchedWallMs: now.wallMs, failures: 0, pollPhaseMonoMs: now.monoMs, ...more };
}

function span(life: Life, more: Partial<ScheduleInput> = {}) {
  const [late, early] = [lowest, highest].map((random) =>
    decide(situation(life, more), { refreshMs: 300_000 }, now, random),
  );
  const afterMs = [late, early].map((next) => Math.round((next?.atMonoMs ?? 0) - now.monoMs)).sort((a, b) => a - b);
  return { do: late?.do, afterMs };
}

/** Whether a lease of 30 s ended in two minutes of which a fault of `faultMs` takes all but 3 s, again and again. */
function endedBefore(phaseMs: number, faultMs: number, random: () => number): boolean {
  const ttlMs = 30_000;
  let life = lease(ttlMs, true, 0);
  let failures = 0;
  for (let monoMs = 0; monoMs < 120_000; ) {
    const restMs = life.startedMonoMs + ttlMs - monoMs;
    const next = decide(
      situation(life, { failures, isOutage: failures > 0, restMs }),
      { refreshMs: 300_000 },
      { ...now, monoMs },
      random,
    );
    monoMs = next.atMonoMs;
    if (monoMs >= life.startedMonoMs + ttlMs) return true;
    const isFault = (monoMs + phaseMs) % (faultMs + 3_000) < faultMs;
    failures = isFault ? failures + 1 : 0;
    if (!isFault) life = lease(ttlMs, true, monoMs);
  }
  return false;
}

const year = 365 * 86_400_000;

describe('the schedule', () => {
  it.each([
    [
      'a renewable lease is renewed at two thirds of its life, or up to 5 % of it earlier',
      lease(60_000),
      'renew',
      [37_000, 40_000],
    ],
    ['a non-renewable lease is replaced at 0.85 to 0.9 of its life', lease(60_000, false), 'fetch', [51_000, 54_000]],
    ['a lease of one second is renewed in time', lease(1_000), 'renew', [617, 667]],
    [
      'a lease of ten years is renewed in six and a half',
      lease(10 * year),
      'renew',
      [(37 / 60) * 10 * year, (2 / 3) * 10 * year],
    ],
    [
      'a static role is read one second after it rotates',
      { kind: 'rotates', inMs: 60_000, startedMonoMs: now.monoMs },
      'poll',
      [61_000, 61_000],
    ],
    [
      'a static role is read at refresh when that is earlier than its rotation, 2.5 % more or less',
      { kind: 'rotates', inMs: 30 * 86_400_000, startedMonoMs: now.monoMs },
      'poll',
      [292_500, 307_500],
    ],
    [
      'a static role that has not rotated when it was due is read again in a second',
      { kind: 'rotates', inMs: 30 * 86_400_000, startedMonoMs: now.monoMs, looksInVain: 1 },
      'poll',
      [1_000, 1_000],
    ],
    [
      'a static role that has not rotated is read again in eight seconds after four such reads',
      { kind: 'rotates', inMs: 30 * 86_400_000, startedMonoMs: now.monoMs, looksInVain: 4 },
      'poll',
      [8_000, 8_000],
    ],
    [
      'a static role that has not rotated is read at refresh after many such reads',
      { kind: 'rotates', inMs: 0, startedMonoMs: now.monoMs, looksInVain: 400 },
      'poll',
      [292_500, 307_500],
    ],
    [
      'a value whose answer names the time of its end is fetched again at two thirds of its life',
      { kind: 'ends', clock: 'wall', startMs: now.wallMs, endMs: now.wallMs + 3_600_000, mints: true },
      'fetch',
      [2_220_000, 2_400_000],
    ],
    [
      'a value whose answer names the time until its end is fetched again at two thirds of its life',
      { kind: 'ends', clock: 'mono', startMs: now.monoMs, endMs: now.monoMs + 60_000, mints: false },
      'fetch',
      [37_000, 40_000],
    ],
    [
      'a value with an end that the request does not mint is read at refresh all the same',
      { kind: 'ends', clock: 'mono', startMs: now.monoMs, endMs: now.monoMs + 86_400_000, mints: false },
      'poll',
      [292_500, 307_500],
    ],
    [
      'a value that had ended when it came is polled at refresh',
      { kind: 'ends', clock: 'wall', startMs: now.wallMs, endMs: now.wallMs - 1, mints: true },
      'poll',
      [292_500, 307_500],
    ],
    ['a secret without a lease is polled at refresh, 2.5 % more or less', { kind: 'none' }, 'poll', [292_500, 307_500]],
    [
      'a certificate is replaced at two thirds of its validity',
      { kind: 'certificate', notBeforeMs: now.wallMs - 30_000, notAfterMs: now.wallMs + 60_000 },
      'fetch',
      [37_000, 40_000],
    ],
  ] as const)('%s', (_title, life, doing, afterMs) => {
    const next = span(life);
    expect(next.do).toBe(doing);
    for (const [i, ms] of afterMs.entries())
      expect(Math.abs((next.afterMs[i] ?? 0) - ms)).toBeLessThanOrEqual(ms * 0.001 + 1);
  });

  it('the first poll falls anywhere in the interval, so that a fleet drifts apart', () => {
    expect(span({ kind: 'none' }, { pollPhaseMonoMs: undefined }).afterMs).toEqual([MIN_LIFE_MS, 300_000]);
  });

  it.each([
    ['on time', 0, 300_000],
    ['a little early', -7_000, 307_000],
    ['late, since the machine was busy', 12_000, 288_000],
    ['after an outage of hours', 20_000_000, 100_000],
    ['out of turn, shortly before its place', 299_000, 301_000],
  ])('a poll keeps its place in the interval after a read %s', (_, lateMs, nextMs) => {
    const phase = { pollPhaseMonoMs: now.monoMs - lateMs };
    const next = decide(situation({ kind: 'none' }, phase), { refreshMs: 300_000 }, now, () => 0.5);
    expect(next).toEqual({ do: 'poll', atMonoMs: now.monoMs + nextMs });
  });

  it('a certificate that was old when it came is not replaced at once, again and again', () => {
    const life: Life = { kind: 'certificate', notBeforeMs: now.wallMs - 30_000, notAfterMs: now.wallMs + 10_000 };
    expect(span(life).afterMs[0]).toBeGreaterThan(6_000);
  });

  it.each([
    ['an ended lease', lease(1_000, true, now.monoMs - 90_000)],
    ['a lease of no length', lease(0)],
    ['an ended certificate', { kind: 'certificate', notBeforeMs: 0, notAfterMs: 1 }],
  ] as const)('%s is never acted on more often than each 200 ms', (_title, life) => {
    expect(span(life).afterMs[0]).toBe(MIN_LIFE_MS);
  });

  it('a failing renewal backs off with full jitter between 250 ms and the cap of 30 s', () => {
    for (const [failures, ceilingMs] of [
      [1, 500],
      [2, 1_000],
      [7, 30_000],
      [60, 30_000],
    ] as const) {
      const next = span(lease(3_600_000), { failures });
      expect(next.do).toBe('renew');
      expect(next.afterMs[0]).toBe(250);
      expect(Math.abs((next.afterMs[1] ?? 0) - ceilingMs)).toBeLessThanOrEqual(1);
    }
  });

  it('what is held is asked for at its refresh after three failures of the backend, and after the first refusal', () => {
    const polled = { restMs: Number.POSITIVE_INFINITY };
    expect(span({ kind: 'none' }, { ...polled, isOutage: true, failures: 3 }).afterMs).toEqual([250, 2_000]);
    for (const [isOutage, failures] of [
      [true, 4],
      [true, 9],
      [false, 1],
    ] as const) {
      // At the place of its polls: an outage leaves the secrets of an agent as spread as they were.
      const late = (lateMs: number) => ({ ...polled, isOutage, failures, pollPhaseMonoMs: now.monoMs - lateMs });
      expect(span({ kind: 'none' }, late(0)).afterMs.map(Math.round)).toEqual([292_500, 307_500]);
      expect(span({ kind: 'none' }, late(100_000)).afterMs.map(Math.round)).toEqual([192_500, 207_500]);
    }
    const askedFor = { ...polled, isOutage: true, failures: 9, retryAfterMs: 299_000 };
    expect(span({ kind: 'none' }, { ...askedFor, pollPhaseMonoMs: now.monoMs - 290_000 }).afterMs[0]).toBe(299_000);
  });

  it('what is not held, and what has ended while the backend is away, is asked for within 30 s', () => {
    expect(span({ kind: 'none' }, { failures: 9 }).afterMs[1]).toBeCloseTo(30_000, -1);
    expect(span({ kind: 'none' }, { restMs: 0, isOutage: true, failures: 9 }).afterMs[1]).toBeCloseTo(30_000, -1);
  });

  it('what ends soon is tried for more often as its end comes nearer', () => {
    const latest = (restMs: number) => span(lease(3_600_000), { restMs, isOutage: true, failures: 9 }).afterMs[1] ?? 0;
    expect(latest(1_100_000)).toBeCloseTo(302_500, -1);
    expect(latest(400_000)).toBeCloseTo(110_000, -1);
    expect(latest(100_000)).toBeCloseTo(25_000, -1);
    expect(latest(10_000)).toBeCloseTo(2_500, -1);
    expect(latest(100)).toBeCloseTo(1_000, -1);
  });

  it('an ended lease that the backend knows no more is fetched anew at once, and what is refused again at refresh', () => {
    const ended = lease(3_000, true, now.monoMs - 20_000);
    const refused = { restMs: -17_000, failures: 1 };
    expect(span(ended, { ...refused, fetchInstead: true }).afterMs).toEqual([250, 500]);
    expect(span(ended, refused).afterMs[1]).toBeCloseTo(300_000, -1);
  });

  it('what is polled does not hurry when it will soon be too old', () => {
    expect(span({ kind: 'none' }, { restMs: 10_000, isOutage: true, failures: 9 }).afterMs[1]).toBeCloseTo(30_000, -1);
  });

  it.each([1, 2, 3, 5, 8])('a lease of 30 s outlives faults of %i s in a row, with 3 s between them', (faultS) => {
    for (let phaseMs = 0; phaseMs < (faultS + 3) * 1_000; phaseMs += 50) {
      for (const random of [lowest, () => 0.5, highest]) {
        expect(endedBefore(phaseMs, faultS * 1_000, random), `faults that begin at ${phaseMs} ms`).toBe(false);
      }
    }
  });

  it('the first renewal of a fleet comes up to half of its time early, and later ones in their time', () => {
    expect(span(lease(3_600_000), { firstRenewal: true }).afterMs.map((ms) => Math.round(ms / 10_000))).toEqual([
      120, 240,
    ]);
    expect(span(lease(3_600_000)).afterMs.map((ms) => Math.round(ms / 10_000))).toEqual([222, 240]);
  });

  it('Retry-After wins over the backoff and is capped at five minutes', () => {
    expect(span({ kind: 'none' }, { failures: 1, retryAfterMs: 7_000 }).afterMs[0]).toBe(7_000);
    expect(span({ kind: 'none' }, { failures: 1, retryAfterMs: 9e9 }).afterMs[0]).toBe(300_000);
  });

  it('a failing renewal turns into a fetch in the last tenth, before the lease ends', () => {
    const soon = decide(
      situation(lease(60_000, true, now.monoMs - 53_900), { failures: 9 }),
      { refreshMs: 1 },
      now,
      highest,
    );
    expect(soon).toEqual({ do: 'fetch', atMonoMs: now.monoMs + 100 });
    expect(span(lease(60_000, true, now.monoMs - 55_000), { failures: 1 }).do).toBe('fetch');
  });

  it('a renewal that is granted less than three quarters of the one before has stopped extending', () => {
    const before = lease(20_000, true, 0);
    expect(stoppedExtending(before, lease(20_000, true, 13_000))).toBe(false);
    expect(stoppedExtending(before, lease(16_000, true, 13_000))).toBe(false);
    expect(stoppedExtending(before, lease(14_000, true, 13_000))).toBe(true);
    expect(stoppedExtending(before, lease(7_000, true, 13_000))).toBe(true);
  });

  it('a renewal whose answer is as old as the life that it adds has left the end where it was', () => {
    const before = lease(30_000, true, 0);
    expect(endStayed(before, lease(30_000, true, 0))).toBe(true);
    expect(endStayed(before, lease(30_000, true, 900))).toBe(true);
    expect(endStayed(before, lease(30_000, true, 1_100))).toBe(false);
    expect(endStayed(before, lease(20_000, true, 1_000))).toBe(false);
    expect(endStayed(lease(1_000, true, 0), lease(1_000, true, 600))).toBe(false);
  });

  it('a lease ends with its login, whichever is earlier', () => {
    expect(endsMonoMs(lease(60_000), now.monoMs + 20_000, now)).toBe(now.monoMs + 20_000);
    expect(endsMonoMs(lease(10_000), now.monoMs + 20_000, now)).toBe(now.monoMs + 10_000);
    expect(endsMonoMs(lease(10_000), Number.NEGATIVE_INFINITY, now)).toBe(now.monoMs);
  });
});

describe('the moment at which an issuer wants its certificate to be replaced', () => {
  const hour = 3_600_000;
  const life = (replaceAtMs: number): Life => ({
    kind: 'certificate',
    notBeforeMs: now.wallMs,
    notAfterMs: now.wallMs + 100 * hour,
    replaceAtMs,
  });

  it.each([
    ['is followed, without jitter of ours', now.wallMs + 40 * hour, 40 * hour],
    ['has come: it is replaced at once', now.wallMs - hour, MIN_LIFE_MS],
    ['after nine tenths of its life is too late', now.wallMs + 99 * hour, 90 * hour],
  ])('%s', (_, replaceAtMs, afterMs) => {
    expect(span(life(replaceAtMs))).toEqual({ do: 'fetch', afterMs: [afterMs, afterMs] });
  });

  it('does not count where the configuration says when, unless it has come', () => {
    const renewal = { beforeMs: 10 * hour };
    expect(span(life(now.wallMs + 40 * hour), { renewal }).afterMs[1]).toBe(90 * hour);
    expect(span(life(now.wallMs - hour), { renewal }).afterMs).toEqual([MIN_LIFE_MS, MIN_LIFE_MS]);
  });
});
