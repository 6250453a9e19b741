import { describe, expect, it } from 'vitest';
import { fail, failure } from '../../src/base/errors.ts';
import { settle } from '../fake-clock.ts';
import { wantOf, wantsOf } from '../memory-backend.ts';
import { leaseWorld, numbers } from './lease.helpers.ts';

describe('while a backend is down', () => {
  it('the entry is stale, with the reason and the moment at which the value was last known good', async () => {
    const { clock, backend, reconcile, entry } = leaseWorld();
    backend.set('app', { password: '1' });
    reconcile(new Map([['app', wantOf('app', { refreshMs: 10_000 })]]));
    await clock.advance(22_000);
    const lastGoodMs = clock.wallMs() - 7_000;
    expect(entry('app')).toMatchObject({ state: 'fresh', fetchedWallMs: lastGoodMs });
    backend.answers.set('app', 'BACKEND_UNREACHABLE');
    await clock.advance(600_000);
    const why = { code: 'BACKEND_UNREACHABLE' };
    expect(entry('app')).toMatchObject({ state: 'stale', fetchedWallMs: lastGoodMs, why });
  });

  it('an attempt that waits for a login makes the value stale after a second', async () => {
    const { clock, backend, reconcile, state, field } = leaseWorld();
    backend.set('app', { password: '1' });
    backend.answers.set('new', () => new Promise(() => {}));
    reconcile(new Map([['app', wantOf('app', { refreshMs: 10_000 })]]));
    await clock.advance(1_000);
    backend.answers.set('app', () => new Promise(() => {}));
    Object.assign(backend, { trouble: () => failure('BACKEND_UNREACHABLE', 'backends.memory.auth', 'refused') });
    reconcile(new Map([...wantsOf('new'), ['app', wantOf('app', { refreshMs: 10_000 })]]));
    await clock.advance(12_000);
    expect([state('app'), field('app'), state('new')]).toEqual(['stale', '1', 'absent']);
  });

  it('a value that is refreshed after a failure emits one fact that it is fresh', async () => {
    const { clock, backend, facts, reconcile } = leaseWorld();
    backend.set('app', { password: '1' });
    reconcile(wantsOf('app'));
    await settle();
    backend.answers.set('app', 'BACKEND_UNREACHABLE');
    await clock.advance(330_000);
    backend.set('app', { password: '1' });
    await clock.advance(900_000);
    const states = facts.flatMap((fact) => (fact.kind === 'secret-state' ? [fact.state] : []));
    expect(states).toEqual(['stale', 'fresh']);
  });

  it('secrets that failed together come back spread over the whole backoff', async () => {
    const { clock, backend, reconcile, state } = leaseWorld(numbers(7));
    const names = Array.from({ length: 200 }, (_, i) => `s${i}`);
    reconcile(wantsOf(...names));
    for (const name of names) backend.answers.set(name, 'BACKEND_UNREACHABLE');
    await clock.advance(600_000);
    for (const name of names) backend.set(name, { password: '1' });
    const perThreeSeconds: number[] = [];
    for (let second = 0; second < 30; second += 3) {
      const before = backend.fetches.length;
      await clock.advance(3_000);
      perThreeSeconds.push(backend.fetches.length - before);
    }
    expect(names.filter((name) => state(name) !== 'fresh')).toEqual([]);
    // 200 retries in thirty seconds are twenty in three seconds.
    expect(Math.max(...perThreeSeconds)).toBeLessThan(60);
    expect(perThreeSeconds.filter((count) => count > 0).length).toBe(10);
  });

  it('polls have their spread again in the first interval after it', async () => {
    const { clock, backend, reconcile } = leaseWorld(numbers(7));
    const names = Array.from({ length: 1_000 }, (_, i) => `s${i}`);
    for (const name of names) backend.set(name, { password: '1' });
    reconcile(wantsOf(...names));
    await clock.advance(600_000);
    for (const name of names) backend.answers.set(name, 'BACKEND_UNREACHABLE');
    await clock.advance(600_000);
    for (const name of names) backend.set(name, { password: '1' });
    await clock.advance(30_000); // by then all were retried
    for (let interval = 0; interval < 3; interval++) {
      const perTenth: number[] = [];
      for (let tenth = 0; tenth < 10; tenth++) {
        const before = backend.fetches.length;
        await clock.advance(30_000);
        perTenth.push(backend.fetches.length - before);
      }
      // A tenth of the interval has a tenth of the polls.
      expect(Math.max(...perTenth)).toBeLessThan(150);
      expect(Math.min(...perTenth)).toBeGreaterThan(60);
    }
  });

  it('a lease that renewals no longer extend is fetched anew with backoff, although renewals go on', async () => {
    const { clock, backend, reconcile, field } = leaseWorld(() => 1);
    backend.mint('db', 3_600_000);
    reconcile(wantsOf('db'));
    await settle();
    // Near max_ttl each renewal grants what is left of it.
    const { source } = backend;
    source.renew = async (want, life) => {
      backend.renews.push(want.id);
      return { ...life, ttlMs: 3_600_000 - clock.monoMs(), startedMonoMs: clock.monoMs() };
    };
    const mint = backend.answers.get('db') ?? 'INTERNAL';
    backend.answers.set('db', 'BACKEND_UNAVAILABLE');
    await clock.advance(3_000_000);
    expect([field('db'), backend.fetchesOf('db') > 5]).toEqual(['minted-1', true]);
    expect(backend.fetchesOf('db') + backend.renews.length).toBeLessThan(100);
    backend.answers.set('db', mint);
    await clock.advance(150_000); // a quarter of what is left
    expect(field('db')).toBe('minted-2');
  });

  it('a lease of an older login is fetched anew with backoff, although renewals go on', async () => {
    const { clock, backend, reconcile, field } = leaseWorld(() => 1);
    backend.mint('db', 3_600_000);
    reconcile(wantsOf('db'));
    await settle();
    const mint = backend.answers.get('db') ?? 'INTERNAL';
    backend.answers.set('db', async () => {
      throw fail('BACKEND_UNAVAILABLE', 'secrets.db', 'HTTP 503');
    });
    await backend.replaceLogin();
    await clock.advance(600_000);
    expect(backend.fetchesOf('db')).toBeGreaterThan(5);
    expect(backend.fetchesOf('db') + backend.renews.length).toBeLessThan(100);
    backend.answers.set('db', mint);
    await clock.advance(330_000);
    expect(field('db')).toBe('minted-2');
  });

  // A renewal within a second of the last one leaves the end of a longer lease where it was: it is the last one.
  it('a short lease of an older login is not asked for in a loop, although its renewals go on', async () => {
    const { clock, backend, reconcile } = leaseWorld(() => 1);
    backend.mint('db', 4_000);
    reconcile(wantsOf('db'));
    await settle();
    backend.answers.set('db', 'SECRET_DENIED');
    await backend.replaceLogin();
    await clock.advance(60_000);
    expect(backend.renews.length).toBeGreaterThan(1);
    expect(backend.fetchesOf('db') + backend.renews.length).toBeLessThan(60);
  });
});

describe('when a backend answers again', () => {
  const MINUTE = 60_000;
  const names = Array.from({ length: 1_000 }, (_, i) => `s${i}`);

  /** All secrets polled each five minutes, and those fail whose polls fall into an outage of this length. */
  async function outageOf(minutes: number) {
    const world = leaseWorld(numbers(7));
    const { clock, backend, reconcile, state } = world;
    for (const name of names) backend.set(name, { password: '1' });
    reconcile(wantsOf(...names));
    await clock.advance(10 * MINUTE);
    for (const name of names) backend.answers.set(name, 'BACKEND_UNREACHABLE');
    await clock.advance(minutes * MINUTE);
    for (const name of names) backend.set(name, { password: '1' });
    const stale = () => names.filter((name) => state(name) === 'stale').length;
    return { ...world, stale };
  }

  it.each([
    ['a minute', 1, 2 * MINUTE],
    ['ten minutes', 10, (2 / 3) * 5 * MINUTE],
  ])(
    'after an outage of %s all that failed is soon fresh again, at less than twice the usual load',
    async (_title, minutes, withinMs) => {
      const { clock, backend, stale } = await outageOf(minutes);
      backend.recover(minutes * MINUTE);
      const failed = stale();
      expect(failed).toBeGreaterThan(150 * Math.min(minutes, 5));
      const usual = (names.length * 20_000) / (5 * MINUTE);
      for (let ms = 0; ms < withinMs; ms += 20_000) {
        const before = backend.fetches.length;
        await clock.advance(20_000);
        expect(backend.fetches.length - before).toBeLessThan(2 * usual);
      }
      expect(stale()).toBe(0);
    },
  );

  it('what was brought forward once is not again before its refresh is over', async () => {
    const { clock, backend, stale } = await outageOf(10);
    for (const name of names) backend.answers.set(name, 'BACKEND_UNREACHABLE');
    const before = backend.fetches.length;
    // The backend comes and goes.
    for (let second = 0; second < 240; second += 10) {
      backend.recover(MINUTE);
      await clock.advance(10_000);
    }
    expect(stale()).toBe(names.length);
    expect(backend.fetches.length - before).toBeLessThan(2 * names.length);
  });

  it('a renewal that failed is made as a renewal, before its time', async () => {
    const { clock, backend, reconcile, state } = leaseWorld();
    backend.mint('db', 3_600_000);
    reconcile(wantsOf('db'));
    await settle();
    backend.renewals.set('db', 'BACKEND_UNREACHABLE');
    await clock.advance(2_400_000);
    backend.renewals.set('db', 3_600_000);
    expect(state('db')).toBe('stale');
    const before = backend.renews.length;
    backend.recover(10_000);
    await clock.advance(20_000);
    expect([state('db'), backend.renews.length - before, backend.fetchesOf('db')]).toEqual(['fresh', 1, 1]);
  });

  it.each([
    ['was refused', () => fail('SECRET_DENIED', 'secrets.app', 'denied')],
    ['the backend has put off', () => fail('BACKEND_THROTTLED', 'secrets.app', 'HTTP 429', { retryAfterMs: 200_000 })],
  ])('what %s keeps its moment', async (_title, why) => {
    const { clock, backend, reconcile, state, manager } = leaseWorld();
    backend.set('app', { password: '1' });
    reconcile(wantsOf('app'));
    await settle();
    backend.answers.set('app', async () => {
      throw why();
    });
    await clock.advance(160_000);
    expect(state('app')).toBe('stale');
    const due = manager.nextMonoMs('app');
    backend.recover(10_000);
    expect(manager.nextMonoMs('app')).toBe(due);
  });
});
