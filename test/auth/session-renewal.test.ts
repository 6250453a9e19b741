import { describe, expect, test } from 'vitest';
import type { LiveLogin } from '../../src/auth/method.ts';
import { answer, refuse, silence, unreachable } from './fake-vault.ts';
import { sessionWorld } from './session-world.ts';

const DAY_MS = 86_400_000;

describe('a renewable login', () => {
  test('is renewed at two thirds of its life, again and again, and never replaced', async () => {
    await using world = sessionWorld({ ttlS: 60 });
    await world.started();
    await world.clock.advance(39_900);
    expect(world.renewals()).toBe(0);
    await world.clock.advance(200);
    expect(world.renewals()).toBe(1);
    await world.clock.advance(360_000);
    expect(world.renewals()).toBe(10);
    expect(world.logins()).toBe(1);
    expect((await world.current()).id).toBe(1);
    expect(world.session.state).toBe('live');
  });

  test('is renewed within 5 % around that point, so that a fleet drifts apart', async () => {
    const at = async (random: number) => {
      await using world = sessionWorld({ ttlS: 60 }, { random: () => random });
      await world.started();
      while (world.renewals() === 0) await world.clock.advance(100);
      return world.clock.monoMs();
    };
    expect(await at(0)).toBe(38_000);
    expect(await at(0.9999)).toBe(42_000);
  });

  test.each([
    ['one second', 1, 60, 80, 100],
    ['ten years', 315_360_000, 3_650, 0, 1],
  ])('may live %s', async (_, ttlS, seconds, least, most) => {
    await using world = sessionWorld({ ttlS });
    await world.started();
    await world.clock.advance(seconds * 1000);
    expect(world.renewals()).toBeGreaterThanOrEqual(least);
    expect(world.renewals()).toBeLessThanOrEqual(most);
    expect(world.logins()).toBe(1);
  });

  test('of ten years sleeps until its renewal in one go', async () => {
    await using world = sessionWorld({ ttlS: 10 * 365 * 86_400 });
    await world.started();
    await world.clock.advance(6 * 365 * DAY_MS);
    expect(world.renewals()).toBe(0);
    await world.clock.advance(365 * DAY_MS);
    expect(world.renewals()).toBe(1);
  });
});

test('a login that never ends is neither renewed nor replaced', async () => {
  await using world = sessionWorld({ ttlS: 0 });
  await world.started();
  await world.clock.advance(3650 * DAY_MS);
  expect(world.server.calls).toHaveLength(1);
  expect(world.session.endsMonoMs(1)).toBe(Number.POSITIVE_INFINITY);
});

describe('a new login is made before the old one ends', () => {
  /** How the old login comes to its end; all are replaced at two thirds of its last life. */
  test.each([
    ['it is not renewable', { ttlS: 60, renewable: false }, 40_000, 0],
    ['a renewal no longer moves its end (max_ttl)', { ttlS: 60, maxTtlS: 60 }, 40_000, 1],
    ['a renewal was the last that moved its end', { ttlS: 60, maxTtlS: 90 }, 73_400, 2],
  ])('when %s', async (_, rules, atMs, renewals) => {
    await using world = sessionWorld(rules);
    const moved: LiveLogin[] = [];
    world.session.onReplacing(async (next) => void moved.push(next));
    await world.started();
    await world.clock.advance(atMs - 100);
    expect(world.logins()).toBe(1);
    await world.clock.advance(200);
    expect(world.logins()).toBe(2);
    expect(world.renewals()).toBe(renewals);
    expect(moved.map(({ id }) => id)).toEqual([2]);
    expect((await world.current()).id).toBe(2);
    expect(world.of('login-replaced')).toEqual([
      { kind: 'login-replaced', backend: 'bao', login: 2, reason: 'ending' },
    ]);
  });

  test('and the old one is left to die: not revoked, its end still told until then', async () => {
    await using world = sessionWorld({ ttlS: 60, renewable: false });
    await world.started();
    await world.clock.advance(41_000);
    expect(world.session.endsMonoMs(1)).toBe(60_000);
    expect(world.server.count('auth/token/revoke-self')).toBe(0);
    await world.clock.advance(60_000);
    expect(world.session.endsMonoMs(1)).toBe(Number.NEGATIVE_INFINITY);
  });

  test('and who moves the leases may take long without holding up the next renewal', async () => {
    await using world = sessionWorld({ ttlS: 60, renewable: false });
    const { promise, resolve } = Promise.withResolvers<void>();
    world.session.onReplacing(() => promise);
    await world.started();
    await world.clock.advance(130_000);
    expect(world.logins()).toBe(4);
    resolve();
  });

  test('while current gives the old one until the next is there', async () => {
    await using world = sessionWorld({ ttlS: 60, renewable: false });
    await world.started();
    world.server.swap('POST auth/kubernetes/login', (_, signal) => silence(signal));
    await world.clock.advance(45_000);
    expect(world.session.state).toBe('replacing');
    expect((await world.current()).id).toBe(1);
    expect(world.session.trouble()).toBeUndefined();
  });
});

describe('a renewal that is denied by the policy', () => {
  test('costs one call and a login at that point, never hundreds', async () => {
    await using world = sessionWorld({ ttlS: 25 });
    world.server.swap('POST auth/token/renew-self', () => refuse(403, { errors: ['permission denied'] }));
    await world.started();
    await world.clock.advance(25_000);
    expect(world.renewals()).toBe(1);
    expect(world.logins()).toBe(2);
    await world.clock.advance(75_000);
    expect(world.renewals()).toBeLessThanOrEqual(6);
    expect(world.logins()).toBeLessThanOrEqual(7);
    expect(world.kinds()).not.toContain('login-failed');
  });

  test('keeps the old login when the new one fails too, with backoff in between', async () => {
    await using world = sessionWorld({ ttlS: 600 });
    world.server.swap('POST auth/token/renew-self', () => refuse(403));
    await world.started();
    world.server.swap('POST auth/kubernetes/login', () => refuse(403));
    await world.clock.advance(599_000);
    expect((await world.current()).id).toBe(1);
    expect(world.renewals()).toBe(1);
    expect(world.logins()).toBeLessThan(25);
  });
});

describe('a renewal that fails', () => {
  const failures = [
    ['the network is down', unreachable],
    ['the server answers 503', () => refuse(503)],
    ['the answer is no login', () => answer({ auth: null })],
  ] as const;

  test.each(failures)('is tried again with backoff while there is time, without a new login: %s', async (_, broken) => {
    await using world = sessionWorld({ ttlS: 3600 });
    await world.started();
    const mend = world.server.swap('POST auth/token/renew-self', broken);
    await world.clock.advance(2_400_000 + 500_000);
    expect(world.logins()).toBe(1);
    expect(world.renewals()).toBeGreaterThan(10);
    expect(world.renewals()).toBeLessThan(50);
    mend();
    await world.clock.advance(30_000);
    expect(world.of('login-renewed')).toHaveLength(1);
    expect(world.logins()).toBe(1);
  });

  test('leads to a new login when little of the life is left', async () => {
    await using world = sessionWorld({ ttlS: 3600 });
    await world.started();
    world.server.swap('POST auth/token/renew-self', () => refuse(500));
    await world.clock.advance(3_031_000);
    expect(world.logins()).toBe(2);
    expect((await world.current()).id).toBe(2);
  });

  test('waits as long as the server asks with Retry-After', async () => {
    await using world = sessionWorld({ ttlS: 3600 });
    await world.started();
    world.server.swap('POST auth/token/renew-self', () => refuse(429, { errors: [] }, { 'retry-after': '120' }));
    await world.clock.advance(2_400_100 + 119_000);
    expect(world.renewals()).toBe(1);
    await world.clock.advance(10_000);
    expect(world.renewals()).toBe(2);
  });

  test('until the end gives no dead login out, and goes on trying to log in', async () => {
    await using world = sessionWorld({ ttlS: 60 });
    await world.started();
    const mendRenewal = world.server.swap('POST auth/token/renew-self', unreachable);
    const mendLogin = world.server.swap('POST auth/kubernetes/login', unreachable);
    await world.clock.advance(70_000);
    expect(world.session.state).toBe('dead');
    expect(world.session.trouble()?.code).toBe('BACKEND_UNREACHABLE');
    const waiting = world.current();
    mendRenewal();
    mendLogin();
    await world.clock.advance(31_000);
    expect((await waiting).id).toBe(2);
    expect(world.of('login-replaced')).toMatchObject([{ login: 2, reason: 'dead' }]);
  });
});

describe('after a suspension the session', () => {
  test('renews at once when the renewal point has passed', async () => {
    await using world = sessionWorld({ ttlS: 3600 });
    await world.started();
    await world.clock.advance(600_000);
    world.session.clockJumped(2_000_000);
    expect(world.session.endsMonoMs(1)).toBe(1_600_000);
    await world.clock.advance(200);
    expect(world.renewals()).toBe(1);
    expect(world.session.endsMonoMs(1)).toBeGreaterThan(4_000_000);
  });

  test('logs in anew when the login has ended meanwhile', async () => {
    await using world = sessionWorld({ ttlS: 3600 });
    await world.started();
    world.session.clockJumped(4_000_000);
    await world.clock.advance(200);
    expect(world.logins()).toBe(2);
    expect((await world.current()).id).toBe(2);
  });

  test('shortens the life of a login that was being made while it slept', async () => {
    await using world = sessionWorld({ ttlS: 3600 });
    const { promise, resolve } = Promise.withResolvers<void>();
    const logIn = world.server.routes.get('POST auth/kubernetes/login');
    world.server.swap('POST auth/kubernetes/login', async (call, signal) => {
      await promise;
      return logIn?.(call, signal) ?? refuse(500);
    });
    await world.started();
    world.session.clockJumped(1_000_000);
    resolve();
    await world.clock.advance(0);
    expect(world.session.endsMonoMs(1)).toBe(2_600_000);
  });

  test.each([0, -5000, Number.NaN])('ignores a jump by %d', async (byMs) => {
    await using world = sessionWorld({ ttlS: 3600 });
    await world.started();
    world.session.clockJumped(byMs);
    expect(world.session.endsMonoMs(1)).toBe(3_600_000);
  });
});
