import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { settle } from '../fake-clock.ts';
import { wantsOf } from '../memory-backend.ts';
import { leaseWorld, numbers } from './lease.helpers.ts';

const HOUR = 3_600_000;

describe('the clocks', () => {
  it('a lease is renewed when it is due, wherever the wall clock was set back to', async () => {
    const { clock, backend, reconcile, state } = leaseWorld();
    backend.mint('db', 600_000);
    reconcile(wantsOf('db'));
    await settle();
    clock.jumpWall(-30 * 24 * HOUR);
    await clock.advance(380_000);
    expect(backend.renews).toEqual([]);
    await clock.advance(20_000);
    expect([backend.renews, backend.fetchesOf('db'), state('db')]).toEqual([['db'], 1, 'fresh']);
  });

  it('a certificate is replaced when the wall clock says so, also after it was set forward', async () => {
    const { clock, backend, reconcile } = leaseWorld();
    let serial = 0;
    backend.answers.set('tls', async () => {
      const notBeforeMs = clock.wallMs();
      const life = { kind: 'certificate', notBeforeMs, notAfterMs: notBeforeMs + 24 * HOUR } as const;
      return { fields: new Map([['certificate', Secret.text(`${++serial}`)]]), version: `${serial}`, life };
    });
    reconcile(wantsOf('tls'));
    await clock.advance(HOUR);
    expect(serial).toBe(1);
    clock.jumpWall(16 * HOUR);
    await clock.advance(36_000);
    expect(serial).toBe(2);
    clock.jumpWall(-8 * HOUR);
    await clock.advance(22 * HOUR);
    expect(serial).toBe(2);
    await clock.advance(2 * HOUR);
    expect(serial).toBe(3);
  });

  it('a certificate is replaced once after a day forward, and not again after a day back', async () => {
    const { clock, backend, reconcile, state } = leaseWorld();
    let serial = 0;
    backend.answers.set('tls', async () => {
      const notBeforeMs = clock.wallMs();
      const life = { kind: 'certificate', notBeforeMs, notAfterMs: notBeforeMs + 24 * HOUR } as const;
      return { fields: new Map([['certificate', Secret.text(`${++serial}`)]]), version: `${serial}`, life };
    });
    reconcile(wantsOf('tls'));
    await clock.advance(HOUR);
    clock.jumpWall(24 * HOUR);
    await clock.advance(HOUR);
    expect([serial, state('tls')]).toEqual([2, 'fresh']);
    clock.jumpWall(-24 * HOUR);
    await clock.advance(24 * HOUR);
    expect([serial, state('tls')]).toEqual([2, 'fresh']);
    await clock.advance(17 * HOUR);
    expect([serial, state('tls')]).toEqual([3, 'fresh']);
  });

  it('attempts after a suspension are spread over five seconds, each at a moment of its own', async () => {
    const { clock, backend, reconcile } = leaseWorld(numbers(1));
    const names = Array.from({ length: 100 }, (_, i) => `db${i}`);
    const renewedAtMs: number[] = [];
    const { source } = backend;
    const renew = source.renew?.bind(source);
    source.renew = (...args) => {
      renewedAtMs.push(clock.monoMs());
      return renew?.(...args) ?? Promise.reject(new Error('none'));
    };
    for (const name of names) backend.mint(name, HOUR);
    reconcile(wantsOf(...names));
    await settle();
    clock.jumpWall(50 * 60_000);
    await clock.advance(30_000);
    const wokeMs = clock.monoMs();
    await clock.advance(6_000);
    expect(renewedAtMs.length).toBe(100);
    expect(Math.max(...renewedAtMs) - Math.min(...renewedAtMs)).toBeGreaterThan(4_000);
    expect(Math.max(...renewedAtMs)).toBeLessThan(wokeMs + 5_300);
    expect(new Set(renewedAtMs).size).toBeGreaterThan(90);
  });
});
