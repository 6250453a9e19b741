import { describe, expect, it } from 'vitest';
import type { Want, WatchListener } from '../../src/backend/backend.ts';
import { createWatches } from '../../src/lease/watches.ts';
import { settle } from '../fake-clock.ts';
import { wantsOf } from '../memory-backend.ts';
import { leaseWorld } from './lease.helpers.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** One polled secret, `refresh` 5 m, whose backend tells of changes. `fetches` counts those since then. */
async function watched() {
  const world = leaseWorld();
  world.backend.set('app', { password: '1' });
  world.reconcile(wantsOf('app'));
  await settle();
  world.manager.startWatching(createWatches);
  const before = world.backend.fetches.length;
  return {
    ...world,
    listener: world.backend.listener as WatchListener,
    fetches: () => world.backend.fetches.length - before,
  };
}

describe('a secret whose changes are told', () => {
  it('is read once within half a minute, for what changed before, and then polled rarely', async () => {
    const { clock, listener, fetches } = await watched();
    listener.covered(2 * HOUR);
    await clock.advance(30_000);
    expect(fetches()).toBe(1);
    await clock.advance(HOUR);
    expect(fetches()).toBe(1);
    await clock.advance(24 * HOUR);
    expect(fetches()).toBeGreaterThanOrEqual(12);
    expect(fetches()).toBeLessThanOrEqual(14);
  });

  it('is read again although a read was under way, which may have begun before', async () => {
    const { clock, backend, listener, fetches } = await watched();
    backend.latencyMs = 1_000;
    listener.written();
    await clock.advance(500);
    listener.covered(2 * HOUR);
    await clock.advance(MINUTE);
    expect(fetches()).toBe(2);
  });

  it('is polled at its refresh once changes may go untold, within one interval', async () => {
    const { clock, listener, fetches } = await watched();
    listener.covered(2 * HOUR);
    await clock.advance(HOUR);
    listener.covered(undefined);
    await clock.advance(6 * MINUTE);
    expect(fetches()).toBe(2);
    await clock.advance(HOUR);
    expect(fetches()).toBeGreaterThanOrEqual(12);
  });

  it('keeps a refresh that is longer than the rare poll', async () => {
    const { clock, listener, fetches } = await watched();
    listener.covered(MINUTE);
    await clock.advance(HOUR);
    expect(fetches()).toBeLessThanOrEqual(14);
  });

  it('is polled four times within its maxStale, so that a value is not too old when a poll fails', async () => {
    const { clock, reconcile, listener, fetches } = await watched();
    const want = wantsOf('app').get('app') as Want;
    reconcile(new Map([['app', { ...want, maxStaleMs: HOUR }]]));
    listener.covered(2 * HOUR);
    await clock.advance(MINUTE);
    const before = fetches();
    await clock.advance(4 * HOUR);
    expect(fetches() - before).toBeGreaterThanOrEqual(14);
    expect(fetches() - before).toBeLessThanOrEqual(18);
  });

  it('is tried for as often as ever when a read fails', async () => {
    const { clock, backend, listener, fetches, state } = await watched();
    listener.covered(2 * HOUR);
    await clock.advance(MINUTE);
    backend.answers.set('app', 'BACKEND_UNREACHABLE');
    listener.written();
    await clock.advance(MINUTE);
    expect(state('app')).toBe('stale');
    backend.set('app', { password: '2' });
    await clock.advance(6 * MINUTE);
    expect(state('app')).toBe('fresh');
    expect(fetches()).toBeGreaterThan(3);
  });

  it('is fetched when it is written, but not when that would make something new', async () => {
    const { clock, backend, manager, reconcile, listener, fetches, field } = await watched();
    backend.set('app', { password: '2' });
    listener.written();
    await settle();
    expect([fetches(), field('app')]).toEqual([1, '2']);
    backend.mint('db', HOUR);
    reconcile(wantsOf('app', 'db'));
    await settle();
    const before = backend.fetches.length;
    backend.listener?.written();
    await clock.advance(1_000);
    expect(manager.names()).toContain('db');
    expect(backend.fetches.length).toBe(before);
  });
});
