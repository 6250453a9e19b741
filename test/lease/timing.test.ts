import { describe, expect, it } from 'vitest';
import { fail } from '../../src/base/errors.ts';
import { wantsOf } from '../memory-backend.ts';
import { leaseWorld, numbers } from './lease.helpers.ts';

/** When a key was fetched, in milliseconds of the clock. */
function watchFetches({ clock, backend }: ReturnType<typeof leaseWorld>): number[] {
  const atMs: number[] = [];
  const { source } = backend;
  const fetch = source.fetch.bind(source);
  source.fetch = (...args) => {
    atMs.push(clock.monoMs());
    return fetch(...args);
  };
  return atMs;
}

describe('the moment of an attempt', () => {
  it('of the first poll is anywhere in the interval, and of later ones around refresh', async () => {
    const world = leaseWorld(() => 0.1);
    const atMs = watchFetches(world);
    world.backend.set('app', { password: '1' });
    world.reconcile(wantsOf('app'));
    await world.clock.advance(900_000);
    expect(atMs).toEqual([0, 30_000, 325_000, 625_000]);
  });

  it('of a thousand polls in five minutes is one of sixty, and never later than the jitter allows', async () => {
    const random = numbers(7);
    const world = leaseWorld(random);
    const names = Array.from({ length: 1_000 }, (_, at) => `s${at}`);
    for (const name of names) world.backend.set(name, { password: '1' });
    world.reconcile(wantsOf(...names));
    await world.clock.advance(1);
    const atMs = watchFetches(world);
    await world.clock.advance(300_000);
    expect(atMs.length).toBeGreaterThanOrEqual(1_000);
    expect(new Set(atMs).size).toBeLessThanOrEqual(60);
    const began = atMs.length;
    await world.clock.advance(330_000);
    expect(atMs.length - began).toBeGreaterThanOrEqual(1_000);
  });

  it('after a failure is the moment that the server asked for with Retry-After', async () => {
    const world = leaseWorld(() => 0);
    const atMs = watchFetches(world);
    const answers = [7_000, 3_600_000].map((retryAfterMs) => async () => {
      throw fail('BACKEND_THROTTLED', 'secrets.app', 'HTTP 429', { retryAfterMs });
    });
    for (const answer of answers) {
      world.backend.answers.set('app', answer);
      if (atMs.length === 0) world.reconcile(wantsOf('app'));
      await world.clock.advance(6_900);
    }
    await world.clock.advance(301_000);
    expect(atMs.slice(0, 3)).toEqual([0, 7_000, 307_000]);
  });

  it('after failures comes later and later, also while the server says Retry-After: 0', async () => {
    const world = leaseWorld(() => 1);
    const atMs = watchFetches(world);
    world.backend.answers.set('app', async () => {
      throw fail('BACKEND_THROTTLED', 'secrets.app', 'HTTP 429', { retryAfterMs: 0 });
    });
    world.reconcile(wantsOf('app'));
    await world.clock.advance(100_000);
    expect(atMs).toEqual([0, 500, 1_500, 3_500, 7_500, 15_500, 31_500, 61_500, 91_500]);
  });

  it.each([
    ['one second', 1_000, 10_000, 15],
    ['ten years', 10 * 365 * 86_400_000, 86_400_000, 0],
  ])('of a renewal comes in time when a lease lives for %s', async (_, ttlMs, waitMs, renewals) => {
    const { clock, backend, reconcile, state } = leaseWorld();
    backend.mint('db', ttlMs);
    reconcile(wantsOf('db'));
    await clock.advance(waitMs);
    expect([backend.fetchesOf('db'), backend.renews.length, state('db')]).toEqual([1, renewals, 'fresh']);
  });
});
