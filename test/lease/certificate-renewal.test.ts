import { afterEach, describe, expect, it, vi } from 'vitest';
import type { CertificateLife, Want } from '../../src/backend/backend.ts';
import { Secret } from '../../src/base/secret.ts';
import type { Renewal, RenewalWindow } from '../../src/config/config.ts';
import { renewalTime } from '../../src/lease/certificate-renewal.ts';
import { decide } from '../../src/lease/schedule.ts';
import { leaseWorld, numbers } from './lease.helpers.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;
/** A Wednesday. */
const CAME = Date.UTC(2026, 6, 1, 12);
const SUNDAY: RenewalWindow = { days: [0], from: 120, to: 240, utc: true };

const certificate = (lifeMs: number): CertificateLife => ({
  kind: 'certificate',
  notBeforeMs: CAME - 30_000,
  notAfterMs: CAME + lifeMs,
});

/** After which share of its life a certificate is replaced, at the earliest and at the latest. */
function shares(lifeMs: number, renewal?: Renewal): readonly number[] {
  const life = certificate(lifeMs);
  return [0, 0.5, 0.999_999].map((roll) => {
    const now = { wallMs: CAME, monoMs: 7 };
    const input = { life, fetchedWallMs: CAME, failures: 0, renewal };
    const { do: doing, atMonoMs } = decide(input, { refreshMs: 300_000 }, now, () => roll);
    expect(doing).toBe('fetch');
    return (atMonoMs - now.monoMs) / lifeMs;
  });
}

const LIVES = [1 * MINUTE, 5 * MINUTE, 1 * HOUR, 24 * HOUR, 30 * DAY, 90 * DAY, 1 * YEAR, 10 * YEAR] as const;

describe('a certificate', () => {
  it.each(LIVES)('that lives %d ms is replaced between 61 and 67 %% of its life', (lifeMs) => {
    for (const share of shares(lifeMs)) {
      expect(share).toBeGreaterThan(0.616);
      expect(share).toBeLessThanOrEqual(2 / 3);
    }
  });

  it.each(LIVES)('that lives %d ms is replaced when the configured share is left, with jitter', (lifeMs) => {
    for (const share of shares(lifeMs, { beforeShare: 0.3 })) {
      expect(share).toBeGreaterThan(0.649);
      expect(share).toBeLessThanOrEqual(0.700_01);
    }
  });

  it('is replaced as long before its end as configured, with jitter', () => {
    for (const share of shares(30 * DAY, { beforeMs: 3 * DAY })) {
      expect(share).toBeGreaterThan(0.849);
      expect(share).toBeLessThanOrEqual(0.900_01);
    }
  });

  it.each<[string, Renewal]>([
    ['a time as long as its life', { beforeMs: DAY }],
    ['more than its life', { beforeMs: YEAR }],
    ['nearly all of its life', { beforeShare: 0.99 }],
  ])('is never replaced in the first third of its life, although renewBefore is %s', (_, renewal) => {
    for (const share of shares(DAY, renewal)) expect(share).toBeGreaterThanOrEqual(1 / 3);
  });

  it.each<[string, number, Renewal | undefined]>([
    ['came after its end', CAME + YEAR, undefined],
    ['came after its end, with renewBefore', CAME + YEAR, { beforeMs: MINUTE }],
    ['came after its end, with hours', CAME + YEAR, { window: SUNDAY }],
    ['came in time', CAME, undefined],
  ])('that has ended is replaced at once, also when it %s', (_, fetchedWallMs, renewal) => {
    const now = { wallMs: CAME + DAY, monoMs: 0 };
    const input = { life: certificate(MINUTE), fetchedWallMs, failures: 0, renewal };
    expect(decide(input, { refreshMs: 300_000 }, now, () => 0.5)).toEqual({ do: 'fetch', atMonoMs: 200 });
  });

  it('waits for its hours after a failure too, but not when its end comes', () => {
    const life = certificate(30 * DAY);
    const renewal = { window: SUNDAY };
    const next = (wallMs: number) => {
      const input = { life, fetchedWallMs: CAME, failures: 1, renewal };
      return wallMs + decide(input, { refreshMs: 1 }, { wallMs, monoMs: 0 }, () => 0.5).atMonoMs;
    };
    const monday = Date.UTC(2026, 6, 20, 9);
    expect(next(monday)).toBe(Date.UTC(2026, 6, 26, 2));
    expect(next(Date.UTC(2026, 6, 26, 3)) - Date.UTC(2026, 6, 26, 3)).toBeLessThan(30_000);
    const late = CAME + 29 * DAY;
    expect(next(late) - late).toBeLessThan(30_000);
  });
});

describe('the hours of renewAt', () => {
  const at = (lifeMs: number, window: RenewalWindow, nowMs = CAME, roll = 0.5, more: Renewal = {}) =>
    new Date(renewalTime(certificate(lifeMs), CAME, { window, ...more }, nowMs, () => roll).atMs).toISOString();

  it('are the first ones after two thirds of the life, and a fleet spreads over them', () => {
    // Two thirds of 30 days are over on the 21st, a Tuesday.
    expect(at(30 * DAY, SUNDAY, CAME, 0)).toBe('2026-07-26T02:00:00.000Z');
    expect(at(30 * DAY, SUNDAY, CAME, 0.5)).toBe('2026-07-26T03:00:00.000Z');
    const random = numbers(7);
    const moments = new Set(Array.from({ length: 100 }, () => at(30 * DAY, SUNDAY, CAME, random())));
    expect(moments.size).toBeGreaterThan(90);
    for (const moment of moments) expect(moment).toMatch(/^2026-07-26T0[23]:/);
  });

  it('are overruled by the end, at nine tenths of the life', () => {
    // A week that ends on Wednesday is two thirds over on Monday; the next Sunday would be too late.
    expect(at(7 * DAY, SUNDAY, CAME, 0)).toBe(new Date(CAME + 0.9 * 7 * DAY).toISOString());
    expect(at(7 * DAY, SUNDAY, CAME, 0.5)).toBe(new Date(CAME + 0.875 * 7 * DAY).toISOString());
    expect(at(HOUR, SUNDAY, CAME, 0)).toBe(new Date(CAME + 0.9 * HOUR).toISOString());
  });

  it('that have passed while the agent could not act are waited for again', () => {
    expect(at(90 * DAY, SUNDAY, Date.UTC(2026, 8, 1), 0)).toBe('2026-09-06T02:00:00.000Z');
    expect(at(90 * DAY, SUNDAY, Date.UTC(2026, 8, 6, 3), 0)).toBe('2026-09-06T03:00:00.000Z');
  });

  it('may go over midnight, and be on several days', () => {
    const nights = { days: [1, 2, 3, 4, 5], from: 22 * 60, to: 60, utc: true } as const;
    expect(at(30 * DAY, nights, Date.UTC(2026, 6, 25, 0, 30), 0)).toBe('2026-07-25T00:30:00.000Z'); // Friday's
    expect(at(30 * DAY, nights, Date.UTC(2026, 6, 25, 1), 0)).toBe('2026-07-27T22:00:00.000Z');
  });

  describe('in local time', () => {
    afterEach(() => {
      vi.unstubAllEnvs();
    });

    it.each([
      ['summer', CAME, '2026-07-26T00:00:00.000Z'],
      ['winter', Date.UTC(2026, 11, 1, 12), '2026-12-27T01:00:00.000Z'],
    ])('are those of the time zone of the process in %s', (_, came, expected) => {
      vi.stubEnv('TZ', 'Europe/Berlin');
      const window = { days: [0], from: 120, to: 240 };
      const life = { kind: 'certificate', notBeforeMs: came, notAfterMs: came + 30 * DAY } as const;
      expect(new Date(renewalTime(life, came, { window }, came, () => 0).atMs).toISOString()).toBe(expected);
    });
  });
});

describe('the lease manager', () => {
  it.each([
    [1 * MINUTE, 90],
    [1 * HOUR, 48],
    [24 * HOUR, 20],
  ])(
    'replaces certificates that live %d ms one after the other, none of them late or twice',
    async (lifeMs, rounds) => {
      const { clock, backend, manager, reconcile, state } = leaseWorld(numbers(lifeMs));
      const issued: number[] = [];
      backend.answers.set('tls', async () => {
        const nowMs = clock.wallMs();
        issued.push(nowMs);
        return {
          fields: new Map([['certificate', Secret.text(`number ${issued.length}`)]]),
          version: `${issued.length}`,
          life: { kind: 'certificate', notBeforeMs: nowMs - 30_000, notAfterMs: nowMs + lifeMs },
        };
      });
      const request = { kind: 'file', key: 'tls' } as const;
      const want: Want = {
        id: 'tls',
        backend: 'memory',
        request,
        place: 'secrets.tls',
        refreshMs: 300_000,
        optional: false,
      };
      reconcile(new Map([['tls', want]]));
      await clock.advance(rounds * lifeMs * 0.65);
      expect(issued.length).toBeGreaterThanOrEqual(rounds * 0.95);
      expect(issued.length).toBeLessThanOrEqual(rounds * 1.06 + 1);
      for (const [i, atMs] of issued.slice(1).entries()) {
        const share = (atMs - (issued[i] as number)) / lifeMs;
        expect(share).toBeGreaterThan(0.6);
        expect(share).toBeLessThan(0.68);
      }
      expect(state('tls')).toBe('fresh');
      expect(manager.lateMs()).toBe(0);
    },
  );
});
