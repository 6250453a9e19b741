import { describe, expect, it } from 'vitest';
import type { Fetched, Want } from '../../src/backend/backend.ts';
import { fail } from '../../src/base/errors.ts';
import { Secret } from '../../src/base/secret.ts';
import { refreshTogether } from '../../src/lease/refresh-together.ts';
import { createWatches } from '../../src/lease/watches.ts';
import { settle } from '../fake-clock.ts';
import { wantOf, wantsOf } from '../memory-backend.ts';
import { leaseWorld, numbers } from './lease.helpers.ts';

describe('the lease manager', () => {
  it('fetches each want once, however many names it has', async () => {
    const { backend, reconcile, state } = leaseWorld();
    backend.set('db', { password: 'x' });
    reconcile(
      new Map([
        ['a', wantOf('db')],
        ['b', wantOf('db')],
      ]),
    );
    await settle();
    expect(backend.fetches).toEqual(['db']);
    expect([state('a'), state('b')]).toEqual(['fresh', 'fresh']);
  });

  it('keeps lease and value of what stays, also under a new name; fetches only what is new', async () => {
    const { backend, manager, reconcile, field } = leaseWorld();
    backend.mint('db', 60_000);
    backend.set('app', { password: 'y' });
    reconcile(new Map([['db', wantOf('db')]]));
    await settle();
    reconcile(
      new Map([
        ['database', wantOf('db')],
        ['app', wantOf('app')],
      ]),
    );
    await settle();
    expect(backend.fetches).toEqual(['db', 'app']);
    expect(field('database')).toBe('minted-1');
    expect(manager.snapshot().get('db')).toBeUndefined();
  });

  it('fetches one more want without those that there are, until the next list of all has it or not', async () => {
    const { backend, manager, reconcile, state } = leaseWorld();
    for (const key of ['app', 'asked']) backend.set(key, { password: key });
    reconcile(wantsOf('app'));
    await settle();
    const before = manager.snapshot().number;
    manager.add('asked', wantOf('asked'), backend);
    manager.add('asked', wantOf('asked'), backend);
    await settle();
    expect(backend.fetches).toEqual(['app', 'asked']);
    expect([state('app'), state('asked')]).toEqual(['fresh', 'fresh']);
    expect(manager.snapshot().number).toBeGreaterThan(before);
    reconcile(wantsOf('app', 'asked'));
    await settle();
    expect(backend.fetches).toEqual(['app', 'asked']);
    reconcile(wantsOf('app'));
    expect([...manager.names()]).toEqual(['app']);
  });

  it('renews a renewable lease at two thirds, and fetches a new one before the end once renewal stops extending', async () => {
    const { clock, backend, reconcile, field } = leaseWorld();
    backend.mint('db', 60_000);
    reconcile(wantsOf('db'));
    await clock.advance(45_000);
    expect([backend.renews.length, field('db')]).toEqual([1, 'minted-1']);
    backend.renewals.set('db', 21_000);
    await clock.advance(40_000);
    expect([backend.renews.length, field('db')]).toEqual([2, 'minted-2']);
  });

  it('a denied renewal is not repeated: the lease is replaced once, before its end', async () => {
    const { clock, backend, reconcile } = leaseWorld();
    backend.mint('db', 60_000);
    backend.renewals.set('db', 'SECRET_DENIED');
    reconcile(wantsOf('db'));
    await clock.advance(50_000);
    expect([backend.renews.length, backend.fetchesOf('db')]).toEqual([1, 1]);
    await clock.advance(9_000);
    expect(backend.fetchesOf('db')).toBe(2);
  });

  it('a failing renewal backs off and mints nothing until the last tenth of the life', async () => {
    const { clock, backend, reconcile } = leaseWorld();
    backend.mint('db', 3_600_000);
    backend.renewals.set('db', 'BACKEND_UNAVAILABLE');
    reconcile(wantsOf('db'));
    await clock.advance(3_200_000);
    expect(backend.fetchesOf('db')).toBe(1);
    expect(backend.renews.length).toBeLessThan(100);
    await clock.advance(200_000);
    expect(backend.fetchesOf('db')).toBe(2);
  });

  it('a lease that the backend no longer knows is replaced at once', async () => {
    const { clock, backend, reconcile, field } = leaseWorld();
    backend.mint('db', 60_000);
    backend.renewals.set('db', 'BACKEND_REJECTED');
    reconcile(wantsOf('db'));
    await clock.advance(42_000);
    expect(field('db')).toBe('minted-2');
  });

  it('polls a secret without a lease at its refresh and passes on only what changed', async () => {
    const { clock, backend, manager, reconcile } = leaseWorld();
    const events: string[] = [];
    manager.onEvent((names, event) => events.push(`${[...names]} ${event}`));
    backend.set('app', { password: '1' });
    reconcile(wantsOf('app'));
    await clock.advance(1_000_000);
    expect(backend.fetchesOf('app')).toBeGreaterThanOrEqual(4);
    expect(events.filter((event) => event !== 'app settled')).toEqual(['app first']);
    backend.set('app', { password: '2' });
    await clock.advance(330_000);
    expect(events.filter((event) => event !== 'app settled')).toEqual(['app first', 'app changed']);
  });

  it('a failed refresh keeps the value, marks it stale, and a later success makes it fresh', async () => {
    const { clock, backend, reconcile, state, field } = leaseWorld();
    backend.set('app', { password: '1' });
    reconcile(wantsOf('app'));
    await settle();
    backend.answers.set('app', 'BACKEND_UNAVAILABLE');
    await clock.advance(330_000);
    expect([state('app'), field('app')]).toEqual(['stale', '1']);
    backend.set('app', { password: '1' });
    await clock.advance(330_000);
    expect(state('app')).toBe('fresh');
  });

  it('past maxStale the state is expired and the value stays', async () => {
    const { clock, backend, reconcile, state, field } = leaseWorld();
    backend.set('app', { password: '1' });
    reconcile(new Map([['app', wantOf('app', { refreshMs: 10_000, maxStaleMs: 60_000 })]]));
    await settle();
    backend.answers.set('app', 'BACKEND_UNREACHABLE');
    await clock.advance(50_000);
    expect(state('app')).toBe('stale');
    await clock.advance(15_000);
    expect([state('app'), field('app')]).toEqual(['expired', '1']);
  });

  it('a lease is expired when its login ends, whatever the lease says', async () => {
    const { clock, backend, reconcile, state } = leaseWorld();
    backend.mint('db', 60_000);
    reconcile(wantsOf('db'));
    await settle();
    backend.answers.set('db', 'BACKEND_UNREACHABLE');
    backend.renewals.set('db', 'BACKEND_UNREACHABLE');
    backend.loginEnds = 45_000;
    await clock.advance(44_000);
    expect(state('db')).toBe('stale');
    await clock.advance(2_000);
    expect(state('db')).toBe('expired');
  });

  it('a fresh lease is expired at the moment its login ends, whether or not an attempt is due', async () => {
    const { clock, backend, facts, reconcile, entry, state } = leaseWorld();
    backend.mint('db', 3_600_000);
    backend.set('app', { password: '1' });
    backend.loginEnds = 20_000;
    reconcile(wantsOf('db', 'app'));
    await clock.advance(19_900);
    expect(state('db')).toBe('fresh');
    await clock.advance(200);
    expect([state('db'), state('app')]).toEqual(['expired', 'fresh']);
    expect(entry('db')).toMatchObject({ why: { code: 'SECRET_EXPIRED', seen: expect.stringContaining('login') } });
    expect(backend.fetchesOf('db')).toBe(1);
    expect(facts.filter(({ kind }) => kind === 'secret-state')).toHaveLength(1);
  });

  it('the renewal of a login moves the end of its leases', async () => {
    const { clock, backend, manager, reconcile, state } = leaseWorld();
    backend.mint('db', 3_600_000);
    backend.loginEnds = 20_000;
    reconcile(wantsOf('db'));
    await clock.advance(15_000);
    backend.loginEnds = 40_000;
    await clock.advance(20_000);
    expect([state('db'), manager.endsMonoMs('db')]).toEqual(['fresh', 40_000]);
    await clock.advance(5_100);
    expect(state('db')).toBe('expired');
  });

  it('a lease is expired when its login is found dead, and fresh again under the next one', async () => {
    const { clock, backend, reconcile, state } = leaseWorld();
    backend.mint('db', 3_600_000);
    reconcile(wantsOf('db'));
    await clock.advance(5_000);
    backend.killLogin();
    await clock.advance(0);
    expect(state('db')).toBe('expired');
    backend.loginEnds = Number.POSITIVE_INFINITY;
    await backend.replaceLogin();
    expect(state('db')).toBe('fresh');
  });

  it('a value whose answer names an end is fetched again at two thirds, and expired past it', async () => {
    const { clock, backend, reconcile, state, field } = leaseWorld();
    const ending = (password: string) => {
      const startMs = clock.monoMs();
      const life = { kind: 'ends', clock: 'mono', startMs, endMs: startMs + 60_000, mints: true } as const;
      backend.set('token', { password }, life);
    };
    ending('1');
    reconcile(new Map([['token', wantOf('token', { refreshMs: 5_000 })]]));
    await clock.advance(37_000);
    expect([backend.fetchesOf('token'), field('token')]).toEqual([1, '1']);
    ending('2');
    await clock.advance(3_000);
    expect(field('token')).toBe('2');
    backend.answers.set('token', 'BACKEND_UNREACHABLE');
    await clock.advance(56_000);
    expect(state('token')).toBe('stale');
    await clock.advance(2_000);
    expect(state('token')).toBe('expired');
  });

  it('a value that comes again after its end stays expired, is polled at refresh, and emits one fact', async () => {
    const { clock, backend, facts, reconcile, state } = leaseWorld();
    backend.answers.set('token', async () => {
      const life = { kind: 'ends', clock: 'wall', startMs: clock.wallMs(), endMs: endWallMs, mints: false } as const;
      return { fields: new Map([['password', Secret.text('1')]]), version: '1', life };
    });
    const endWallMs = clock.wallMs() + 10_000;
    // The backend says that the value is the same.
    const { fetch } = backend.source;
    backend.source.fetch = async (want, last, signal) => {
      const answer = await fetch(want, last, signal);
      if (last === undefined || answer.state === 'unchanged') return answer;
      return { state: 'unchanged', life: answer.value.life };
    };
    reconcile(new Map([['token', wantOf('token', { refreshMs: 30_000 })]]));
    await clock.advance(9_000);
    expect(state('token')).toBe('fresh');
    await clock.advance(300_000);
    expect(state('token')).toBe('expired');
    expect(backend.fetchesOf('token')).toBeLessThan(30);
    expect(facts.filter(({ kind }) => kind === 'secret-state')).toHaveLength(1);
  });

  it('a value whose secret was deleted at the backend is kept, stale with reason deleted', async () => {
    const { clock, backend, facts, reconcile, field } = leaseWorld();
    backend.set('app', { password: '1' });
    reconcile(wantsOf('app'));
    await settle();
    backend.answers.delete('app');
    await clock.advance(330_000);
    expect(field('app')).toBe('1');
    expect(facts).toContainEqual({ kind: 'secret-state', secrets: ['app'], state: 'stale', reason: 'deleted' });
  });

  it('a secret that does not exist is absent, with the reason, and is not fetched in a loop', async () => {
    const { clock, backend, manager, reconcile } = leaseWorld();
    reconcile(new Map([['app', wantOf('app', { optional: true })]]));
    await clock.advance(600_000);
    expect(manager.snapshot().get('app')).toMatchObject({
      state: 'absent',
      optional: true,
      why: { code: 'SECRET_NOT_FOUND' },
    });
    expect(backend.fetches.length).toBeLessThan(60);
  });

  it('an optional secret that does not exist is fetched again at its refresh, and logged once', async () => {
    const { clock, backend, reconcile, facts, state } = leaseWorld();
    reconcile(new Map([['extra', wantOf('extra', { optional: true, refreshMs: 60_000 })]]));
    await clock.advance(600_000);
    expect(backend.fetchesOf('extra')).toBeGreaterThanOrEqual(9);
    expect(backend.fetchesOf('extra')).toBeLessThanOrEqual(12);
    const absences = facts.filter((fact) => fact.kind === 'secret-absent');
    expect(absences.map(({ again }) => again)).toEqual([false, ...absences.slice(1).map(() => true)]);
    expect(facts.filter(({ kind }) => kind === 'secret-failed')).toEqual([]);
    backend.set('extra', { password: 'x' });
    await clock.advance(67_000);
    expect(state('extra')).toBe('fresh');
    backend.answers.set('extra', 'SECRET_DELETED');
    const before = backend.fetchesOf('extra');
    await clock.advance(600_000);
    expect([state('extra'), backend.fetchesOf('extra') - before]).toEqual(['stale', 10]);
    expect(facts.filter((fact) => fact.kind === 'secret-absent' && !fact.again)).toHaveLength(2);
  });

  it('an optional secret whose backend cannot be reached has failed, and is tried again soon', async () => {
    const { clock, backend, reconcile, facts } = leaseWorld();
    backend.answers.set('extra', 'BACKEND_UNREACHABLE');
    reconcile(new Map([['extra', wantOf('extra', { optional: true })]]));
    await clock.advance(60_000);
    expect(backend.fetchesOf('extra')).toBeGreaterThan(3);
    expect(facts.filter(({ kind }) => kind === 'secret-absent')).toEqual([]);
  });

  it('an optional lease that cannot be fetched anew is tried with backoff, not in a loop', async () => {
    const { clock, backend, reconcile } = leaseWorld();
    backend.mint('db', 60_000, false);
    reconcile(new Map([['db', wantOf('db', { optional: true })]]));
    await clock.advance(1_000);
    backend.answers.set('db', 'SECRET_NOT_FOUND');
    await clock.advance(58_000);
    expect(backend.fetchesOf('db')).toBeGreaterThan(1);
    expect(backend.fetchesOf('db')).toBeLessThan(10);
  });

  it('a computed secret becomes absent when it is deleted at the backend, and fresh when it is back', async () => {
    const { clock, backend, manager, reconcile, state, field } = leaseWorld();
    const events: string[] = [];
    manager.onEvent((_, event) => events.push(event));
    backend.set('one', { password: 'x' });
    reconcile(new Map([['secret bao one', wantOf('one', { absentWhenGone: true, refreshMs: 60_000 })]]));
    await settle();
    const name = 'secret bao one';
    expect(state(name)).toBe('fresh');
    backend.answers.set('one', 'SECRET_DELETED');
    await clock.advance(67_000);
    expect([state(name), field(name), events]).toEqual(['absent', undefined, ['first', 'changed']]);
    await clock.advance(67_000);
    expect(events).toEqual(['first', 'changed', 'settled']);
    backend.set('one', { password: 'y' });
    await clock.advance(67_000);
    expect([state(name), field(name)]).toEqual(['fresh', 'y']);
    backend.answers.set('one', 'BACKEND_UNREACHABLE');
    await clock.advance(67_000);
    expect([state(name), field(name)]).toEqual(['stale', 'y']);
  });

  it('one failing secret does not hold up another', async () => {
    const { clock, backend, reconcile, state } = leaseWorld();
    backend.answers.set('bad', () => new Promise(() => {}));
    backend.set('good', { password: '1' });
    reconcile(wantsOf('bad', 'good'));
    await clock.advance(1_000_000);
    expect(state('good')).toBe('fresh');
    expect(backend.fetchesOf('good')).toBeGreaterThan(2);
  });

  it('when the login is replaced, the leases of the old one are fetched under the new one, and nothing else', async () => {
    const { backend, reconcile, field } = leaseWorld();
    backend.mint('db', 3_600_000);
    backend.set('app', { password: '1' });
    reconcile(wantsOf('db', 'app'));
    await settle();
    await backend.replaceLogin();
    expect(field('db')).toBe('minted-2');
    expect(backend.fetches).toEqual(['db', 'app', 'db']);
  });

  it('a lease fetched under the old login while it is replaced is fetched once more', async () => {
    const { clock, backend, manager, reconcile, field } = leaseWorld();
    backend.latencyMs = 1_000;
    backend.mint('db', 3_600_000);
    const life = backend.lease(3_600_000);
    backend.answers.set('db', async () => {
      backend.mint('db', 3_600_000);
      return { fields: new Map(), version: '0', life };
    });
    reconcile(wantsOf('db'));
    await clock.advance(500);
    const moved = backend.replaceLogin();
    await clock.advance(3_000);
    await moved;
    expect([field('db'), backend.fetchesOf('db')]).toEqual(['minted-1', 2]);
    expect(manager.snapshot().get('db')).toMatchObject({ value: { life: { loginId: 2 } } });
  });

  it('a lease that its login caps is minted once per login, and none is fetched that would end with the same login', async () => {
    const { clock, backend, reconcile, field } = leaseWorld();
    backend.loginEnds = 60_000;
    backend.answers.set('db', async () => ({
      fields: new Map([['password', Secret.text(`minted-${backend.fetchesOf('db')}`)]]),
      version: '1',
      life: backend.lease(backend.loginEnds - clock.monoMs()),
    }));
    backend.renewals.set('db', 21_000); // what is left of the login at two thirds
    reconcile(wantsOf('db'));
    await clock.advance(39_500);
    expect([backend.renews.length, backend.fetchesOf('db')]).toEqual([1, 1]);
    backend.loginEnds = 100_000;
    void backend.replaceLogin();
    await settle();
    expect([field('db'), backend.fetchesOf('db')]).toEqual(['minted-2', 2]);
    // No new login comes from here on, and credentials are not minted in ever shorter steps.
    backend.renewals.set('db', 20_000);
    await clock.advance(60_000);
    expect(backend.fetchesOf('db')).toBe(2);
    await clock.advance(1_000);
    expect(backend.fetchesOf('db')).toBe(3);
  });

  it('a fetch that waits for the next login makes its lease under that login, and is not made twice', async () => {
    const { clock, backend, manager, reconcile } = leaseWorld();
    backend.mint('db', 60_000);
    reconcile(wantsOf('db'));
    await settle();
    const login = Promise.withResolvers<void>();
    backend.answers.set('db', async () => {
      await login.promise;
      return { fields: new Map(), version: '2', life: backend.lease(60_000) };
    });
    await clock.advance(1_000);
    const refreshed = manager.refresh('db');
    await clock.advance(100);
    const moved = backend.replaceLogin();
    login.resolve();
    await Promise.all([refreshed, moved]);
    expect(backend.fetchesOf('db')).toBe(2);
  });

  it('a fetch that brings the same lease again is repeated with backoff until the lease ends, and is no change', async () => {
    const { clock, backend, reconcile, facts } = leaseWorld();
    const life = backend.lease(60_000, false);
    backend.set('db', { password: 'x' }, life);
    reconcile(wantsOf('db'));
    await settle();
    backend.fetchesAgain = true;
    await clock.advance(59_900);
    expect(backend.fetchesOf('db')).toBeGreaterThan(2);
    expect(backend.fetchesOf('db')).toBeLessThan(10);
    expect(facts.filter(({ kind }) => kind === 'secret-changed')).toHaveLength(1);
    const before = backend.fetchesOf('db');
    await clock.advance(400);
    expect(backend.fetchesOf('db')).toBeGreaterThan(before);
  });

  it('a forward jump of the wall clock shortens leases, as it may have been a suspension', async () => {
    const { clock, backend, reconcile } = leaseWorld();
    backend.mint('db', 3_600_000);
    reconcile(wantsOf('db'));
    await settle();
    clock.jumpWall(3_500_000);
    await clock.advance(40_000);
    expect(backend.renews.length + backend.fetchesOf('db')).toBeGreaterThan(1);
  });

  it('a change of one secret refreshes the other polled secrets of its output at once, and their changes refresh no others', async () => {
    const { clock, backend, manager, reconcile, field } = leaseWorld();
    const names = ['a', 'b', 'c'];
    for (const name of names) backend.set(name, { password: '1' });
    backend.mint('leased', 1e9);
    reconcile(
      new Map([
        ['a', wantOf('a', { refreshMs: 10_000 })],
        ['b', wantOf('b', { refreshMs: 1e9 })],
        ['c', wantOf('c', { refreshMs: 1e9 })],
        ['leased', wantOf('leased')],
      ]),
    );
    await settle();
    const group = new Set([...names, 'leased']);
    refreshTogether(manager, new Map([...group].map((name) => [name, [group]])));
    for (const name of names) backend.set(name, { password: '2' });
    await clock.advance(11_000);
    expect(names.map((name) => field(name))).toEqual(['2', '2', '2']);
    expect([...names, 'leased'].map((name) => backend.fetchesOf(name))).toEqual([2, 2, 2, 1]);
  });

  it('a secret that is being read when another one changes is read once more', async () => {
    const { clock, backend, manager, reconcile, field } = leaseWorld();
    const group = new Set(['a', 'b']);
    for (const name of group) backend.set(name, { password: '1' });
    reconcile(wantsOf('a', 'b'));
    await settle();
    refreshTogether(manager, new Map([...group].map((name) => [name, [group]])));
    let answer = (_: Fetched) => {};
    const early = { fields: new Map([['password', Secret.text('1')]]), version: '1', life: { kind: 'none' } } as const;
    backend.answers.set('b', () => new Promise((resolve) => (answer = resolve)));
    void manager.refresh('b');
    backend.set('a', { password: '2' });
    await manager.refresh('a');
    backend.set('b', { password: '2' });
    answer(early);
    await clock.advance(0);
    await settle();
    expect([field('a'), field('b'), backend.fetchesOf('b')]).toEqual(['2', '2', 3]);
  });

  it('secrets whose every answer differs at most double their requests, and keep their spread', async () => {
    const { clock, backend, manager, reconcile } = leaseWorld(numbers(3));
    const names = Array.from({ length: 24 }, (_, i) => `s${i}`);
    let answers = 0;
    const atMs = new Map<string, number[]>(names.map((name) => [name, []]));
    for (const name of names) {
      backend.answers.set(name, async () => {
        atMs.get(name)?.push(clock.monoMs());
        const fields = new Map([['clock', Secret.text(String(++answers))]]);
        return { fields, version: String(answers), life: { kind: 'none' } };
      });
    }
    const group = new Set(names);
    refreshTogether(manager, new Map(names.map((name) => [name, [group]])));
    reconcile(new Map(names.map((name) => [name, wantOf(name, { refreshMs: 4_000 })])));
    await clock.advance(8_000);
    const before = backend.fetches.length;
    await clock.advance(8_000);
    // 48 polls are due; the shortest intervals are a tenth shorter.
    expect(backend.fetches.length - before).toBeLessThanOrEqual(2 * 53 + 24);
    const polls = names.map((name) => Math.round((manager.nextMonoMs(name) ?? 0) / 200));
    expect(new Set(polls).size).toBeGreaterThan(10);
  });

  it('a secret that was pulled forward and had not changed is not pulled again before its own next poll', async () => {
    const { clock, backend, manager, reconcile } = leaseWorld();
    let answers = 0;
    backend.answers.set('a', async () => {
      const fields = new Map([['clock', Secret.text(String(++answers))]]);
      return { fields, version: String(answers), life: { kind: 'none' } };
    });
    backend.set('b', { password: '1' });
    const group = new Set(['a', 'b']);
    refreshTogether(manager, new Map([...group].map((name) => [name, [group]])));
    reconcile(
      new Map([
        ['a', wantOf('a', { refreshMs: 1_000 })],
        ['b', wantOf('b', { refreshMs: 600_000 })],
      ]),
    );
    await clock.advance(200_000);
    expect([backend.fetchesOf('a') > 150, backend.fetchesOf('b')]).toEqual([true, 2]);
  });

  it('secrets that change together again and again arrive together each time, however rarely one of them is polled', async () => {
    const { clock, backend, manager, reconcile, field } = leaseWorld();
    const group = new Set(['a', 'b']);
    refreshTogether(manager, new Map([...group].map((name) => [name, [group]])));
    for (const name of group) backend.set(name, { password: '0' });
    reconcile(
      new Map([
        ['a', wantOf('a', { refreshMs: 10_000 })],
        ['b', wantOf('b', { refreshMs: 3_600_000 })],
      ]),
    );
    await settle();
    for (let round = 1; round <= 5; round++) {
      for (const name of group) backend.set(name, { password: String(round) });
      await clock.advance(10_500);
      expect([field('a'), field('b')]).toEqual([String(round), String(round)]);
    }
  });

  it.each([
    ['mints with each request', { kind: 'none', mints: true }],
    [
      'is a lease',
      { kind: 'lease', leaseId: Secret.text('x'), ttlMs: 1e9, renewable: true, startedMonoMs: 0, loginId: 1 },
    ],
    ['mints a value with an end of its own', { kind: 'ends', clock: 'mono', startMs: 0, endMs: 1e9, mints: true }],
  ] as const)('a secret that %s is never pulled forward', async (_title, life) => {
    const { clock, backend, manager, reconcile } = leaseWorld();
    backend.set('a', { password: '1' });
    backend.set('b', { password: '1' }, life);
    reconcile(
      new Map([
        ['a', wantOf('a', { refreshMs: 10_000 })],
        ['b', wantOf('b', { refreshMs: 3_600_000 })],
      ]),
    );
    await settle();
    const group = new Set(['a', 'b']);
    refreshTogether(manager, new Map([...group].map((name) => [name, [group]])));
    backend.set('a', { password: '2' });
    await clock.advance(60_000);
    expect(backend.fetchesOf('b')).toBe(1);
  });

  it('a static role is pulled forward: reading it mints nothing', async () => {
    const { clock, backend, manager, reconcile, field } = leaseWorld();
    const life = { kind: 'rotates', inMs: 1e9, startedMonoMs: 0 } as const;
    backend.set('a', { password: '1' });
    backend.set('b', { password: '1' }, life);
    reconcile(
      new Map([
        ['a', wantOf('a', { refreshMs: 10_000 })],
        ['b', wantOf('b', { refreshMs: 3_600_000 })],
      ]),
    );
    await settle();
    const group = new Set(['a', 'b']);
    refreshTogether(manager, new Map([...group].map((name) => [name, [group]])));
    backend.set('a', { password: '2' });
    backend.set('b', { password: '2' }, life);
    await clock.advance(11_000);
    expect([field('a'), field('b')]).toEqual(['2', '2']);
  });

  it('a secret that fails is not pulled forward past its backoff', async () => {
    const { clock, backend, manager, reconcile } = leaseWorld();
    let answers = 0;
    backend.answers.set('a', async () => {
      const fields = new Map([['clock', Secret.text(String(++answers))]]);
      return { fields, version: String(answers), life: { kind: 'none' } };
    });
    backend.set('b', { password: '1' });
    const group = new Set(['a', 'b']);
    refreshTogether(manager, new Map([...group].map((name) => [name, [group]])));
    reconcile(
      new Map([
        ['a', wantOf('a', { refreshMs: 1_000 })],
        ['b', wantOf('b', { refreshMs: 1_000 })],
      ]),
    );
    await clock.advance(500);
    backend.answers.set('b', async () => {
      throw fail('BACKEND_UNAVAILABLE', 'secrets.b', 'HTTP 503', { retryAfterMs: 60_000 });
    });
    const before = backend.fetchesOf('b');
    await clock.advance(50_000);
    expect(backend.fetchesOf('b') - before).toBe(1);
  });

  it('without polling, a start that takes long fetches each secret once', async () => {
    const { clock, backend, manager } = leaseWorld(() => 0.5, false);
    backend.set('app', { password: '1' });
    backend.mint('db', 10_000);
    backend.answers.set('late', 'BACKEND_UNAVAILABLE');
    const named = new Map([
      ['app', wantOf('app', { refreshMs: 1_000 })],
      ['db', wantOf('db', { refreshMs: 1_000 })],
      ['late', wantOf('late')],
    ]);
    manager.reconcile(named, new Map([['memory', backend]]));
    await clock.advance(60_000);
    expect([backend.fetchesOf('app'), backend.renews.length > 5, backend.fetchesOf('late') > 3]).toEqual([
      1,
      true,
      true,
    ]);
    expect(manager.nextMonoMs('app')).toBeUndefined();
  });

  it('the first values of a start cause no further fetches', async () => {
    const { backend, manager, reconcile } = leaseWorld();
    for (const name of ['a', 'b']) backend.set(name, { password: '1' });
    refreshTogether(
      manager,
      new Map([
        ['a', [new Set(['a', 'b'])]],
        ['b', [new Set(['a', 'b'])]],
      ]),
    );
    reconcile(wantsOf('a'));
    await settle();
    reconcile(wantsOf('a', 'b'));
    await settle();
    expect(backend.fetches).toEqual(['a', 'b']);
  });

  it('a change that the backend pushes is fetched at once', async () => {
    const { backend, manager, reconcile, field } = leaseWorld();
    backend.set('app', { password: '1' });
    reconcile(wantsOf('app'));
    await settle();
    manager.startWatching(createWatches);
    backend.set('app', { password: '2' });
    backend.watched?.();
    await settle();
    expect(field('app')).toBe('2');
  });

  it('what watches a secret is told of its other refresh, and of no other secret', async () => {
    const { backend, manager, reconcile } = leaseWorld();
    const told: [string, number][] = [];
    const follow = ({ place, refreshMs }: Want) => told.push([place, refreshMs]);
    Object.assign(backend.source, { watch: () => ({ follow, [Symbol.dispose]: () => {} }) });
    for (const key of ['a', 'b']) backend.set(key, { password: '1' });
    reconcile(wantsOf('a', 'b'));
    await settle();
    manager.startWatching(createWatches);
    const wants = wantsOf('a', 'b');
    const a = wants.get('a') as Want;
    reconcile(new Map([...wants, ['a', { ...a, refreshMs: 7_000 }]]));
    expect(told).toEqual([[a.place, 7_000]]);
  });

  it('refresh joins a running attempt, and a failure never replaces a good value', async () => {
    const { clock, backend, manager, reconcile, field } = leaseWorld();
    backend.set('app', { password: '1' });
    reconcile(wantsOf('app'));
    await settle();
    backend.latencyMs = 10;
    backend.answers.set('app', 'BACKEND_TIMEOUT');
    const both = Promise.all([manager.refresh('app'), manager.refresh('app')]);
    await clock.advance(20);
    expect((await both).map((entry) => entry?.state)).toEqual(['stale', 'stale']);
    expect([backend.fetchesOf('app'), field('app')]).toEqual([2, '1']);
  });

  it('a refresh does not join a fetch that runs already, and all refreshes that wait share the next one', async () => {
    const { clock, backend, manager, reconcile, field } = leaseWorld();
    backend.latencyMs = 100;
    backend.set('app', { password: '1' });
    reconcile(wantsOf('app'));
    await clock.advance(100);
    const first = manager.refresh('app');
    await clock.advance(50);
    const others = Promise.all([manager.refresh('app'), manager.refresh('app'), manager.refresh('app')]);
    await clock.advance(50);
    await first;
    backend.set('app', { password: '2' });
    await clock.advance(100);
    await others;
    expect([backend.fetchesOf('app'), field('app')]).toEqual([3, '2']);
    const at = manager.refresh('app');
    await clock.advance(100);
    await at;
    expect(backend.fetchesOf('app')).toBe(4);
  });

  it('refreshes of a secret that mints fetch once a second at most, each after it was asked for', async () => {
    const { clock, backend, manager, reconcile, field } = leaseWorld();
    backend.mint('db', 3_600_000);
    reconcile(wantsOf('db'));
    await clock.advance(10_000);
    let done = 0;
    for (let i = 0; i < 50; i++) {
      void manager.refresh('db').then(() => done++);
      await clock.advance(100);
    }
    await clock.advance(1_000);
    expect([done, backend.fetchesOf('db'), field('db')]).toEqual([50, 1 + 6, 'minted-7']);
  });

  it('a refresh during a renewal fetches when the renewal has ended', async () => {
    const { clock, backend, manager, reconcile, field } = leaseWorld();
    backend.mint('db', 60_000);
    reconcile(wantsOf('db'));
    await settle();
    const renewal = Promise.withResolvers<void>();
    const { renew } = backend.source;
    backend.source.renew = async (want, life, signal) => {
      await renewal.promise;
      return (await renew?.(want, life, signal)) ?? life;
    };
    await clock.advance(41_000);
    expect(manager.isBusy('db')).toBe(true);
    const refreshed = manager.refresh('db');
    renewal.resolve();
    await clock.advance(1_000);
    await refreshed;
    expect([backend.renews.length, field('db')]).toEqual([1, 'minted-2']);
  });

  it('a refresh ends when its secret is dropped meanwhile', async () => {
    const { clock, backend, manager, reconcile } = leaseWorld();
    backend.mint('db', 60_000);
    reconcile(wantsOf('db'));
    await clock.advance(100);
    const refreshed = manager.refresh('db');
    reconcile(new Map());
    await clock.advance(1_000);
    await refreshed;
    expect(backend.fetchesOf('db')).toBe(1);
  });

  it('a refresh during a fetch fetches once more, since the one that runs may have read too early', async () => {
    const { clock, backend, manager, reconcile, field } = leaseWorld();
    backend.set('app', { password: '1' });
    reconcile(wantsOf('app'));
    await settle();
    let answer = (_: Fetched) => {};
    const early = { fields: new Map([['password', Secret.text('1')]]), version: '1', life: { kind: 'none' } } as const;
    backend.answers.set('app', () => new Promise((resolve) => (answer = resolve)));
    void manager.refresh('app');
    await settle();
    const refreshed = manager.refresh('app');
    backend.set('app', { password: '2' });
    answer(early);
    await refreshed;
    await clock.advance(0);
    expect([backend.fetchesOf('app'), field('app')]).toEqual([3, '2']);
  });

  it('numbers values and states: a new one has a larger number, and an unchanged one keeps its own', async () => {
    const { backend, manager, reconcile, entry } = leaseWorld();
    backend.set('app', { password: '1' });
    backend.set('db', { password: '1' });
    reconcile(wantsOf('app', 'db'));
    await settle();
    const numbers = () => {
      const now = entry('app');
      return now === undefined || now.state === 'absent' ? [] : [now.valueNumber, now.stateNumber];
    };
    const [value = 0, state = 0] = numbers();
    expect(value).toBe(state);
    await manager.refresh('app');
    expect(numbers()).toEqual([value, state]);

    backend.answers.set('app', 'BACKEND_TIMEOUT');
    await manager.refresh('app');
    const [sameValue, stale = 0] = numbers();
    expect([sameValue, stale > state]).toEqual([value, true]);
    await manager.refresh('app');
    expect(numbers()).toEqual([value, stale]);

    backend.set('app', { password: '2' });
    await manager.refresh('app');
    const [other = 0] = numbers();
    expect(other).toBeGreaterThan(stale);
    expect(manager.snapshot().number).toBeGreaterThanOrEqual(other);

    // Another request under the same name is another value, however old the value is.
    const wants = wantsOf('app', 'db');
    reconcile(new Map([...wants, ['app', wantOf('db')]]));
    expect(numbers()[0]).toBeGreaterThan(other);
  });

  it('a snapshot does not change, and the snapshot of all names is kept while nothing changes', async () => {
    const { clock, backend, manager, reconcile } = leaseWorld();
    backend.set('app', { password: '1' });
    reconcile(wantsOf('app'));
    await settle();
    const before = manager.snapshot();
    expect(manager.snapshot()).toBe(before);
    backend.set('app', { password: '2' });
    await clock.advance(330_000);
    const entry = before.get('app');
    expect(entry?.state).toBe('fresh');
    expect(manager.snapshot().number).toBeGreaterThan(before.number);
    expect(manager.snapshot().get('app')).not.toBe(entry);
  });

  it('says when the oldest running attempt of each backend began, and nothing when none runs', async () => {
    const { clock, backend, manager, reconcile } = leaseWorld();
    const answer = Promise.withResolvers<never>();
    backend.set('app', { password: '1' });
    await clock.advance(500);
    backend.answers.set('db', () => answer.promise);
    reconcile(wantsOf('app', 'db'));
    await clock.advance(2_000);
    void manager.refresh('app');
    expect([...manager.oldestAttempts()]).toEqual([['memory', 500]]);
    answer.reject(new Error('enough'));
    await settle();
    expect([...manager.oldestAttempts()]).toEqual([]);
    expect([...manager.names()]).toEqual(['app', 'db']);
  });

  it('leaves no timer behind when it is disposed of', async () => {
    const { clock, backend, manager, reconcile } = leaseWorld();
    backend.set('app', { password: '1' });
    backend.mint('db', 60_000);
    reconcile(wantsOf('app', 'db'));
    await settle();
    await manager[Symbol.asyncDispose]();
    expect(clock.waiting).toBe(0);
  });
});
