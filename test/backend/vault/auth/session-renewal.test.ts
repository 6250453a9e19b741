import { describe, expect, test } from 'vitest';
import { logInAt } from '../../../../src/backend/vault/auth/log-in-at.ts';
import type { AuthMethod, LiveLogin } from '../../../../src/backend/vault/auth/method.ts';
import { tryMs } from '../../../../src/base/backoff.ts';
import { fail } from '../../../../src/base/errors.ts';
import { endsMonoMsOf } from '../../../../src/base/urgency.ts';
import { answer, type Handler, refuse, silence, unreachable } from './fake-vault.ts';
import { sessionWorld } from './session.helpers.ts';

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

  test('is renewed within 5 % around that point, so that many agents spread out', async () => {
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
  /** Why the old login ends; in each case it is replaced at two thirds of its last life. */
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

  test('and the old one is not revoked, and keeps its end', async () => {
    await using world = sessionWorld({ ttlS: 60, renewable: false });
    await world.started();
    await world.clock.advance(41_000);
    expect(world.session.endsMonoMs(1)).toBe(60_000);
    expect(world.server.count('auth/token/revoke-self')).toBe(0);
    await world.clock.advance(60_000);
    expect(world.session.endsMonoMs(1)).toBe(Number.NEGATIVE_INFINITY);
  });

  test('and moving the leases may take long without delaying the next renewal', async () => {
    await using world = sessionWorld({ ttlS: 60, renewable: false });
    const { promise, resolve } = Promise.withResolvers<void>();
    world.session.onReplacing(() => promise);
    await world.started();
    await world.clock.advance(130_000);
    expect(world.logins()).toBe(4);
    resolve();
  });

  test('while current returns the old one until the next is there', async () => {
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

describe('a renewal that is refused for good', () => {
  test.each([
    ['another client certificate', 'client identity during renewal not matching client identity used during login'],
    ['another authority', 'client authority identity during renewal not matching client identity used during login'],
    ['other policies of the role', 'failed to renew entry: policies have changed, not renewing'],
    ['a role that is gone', 'failed to renew entry: role shop does not exist during renewal'],
  ])('with HTTP 500 for %s is followed by a login at once, and reported as a refusal', async (_, text) => {
    await using world = sessionWorld({ ttlS: 3600 });
    world.server.swap('POST auth/token/renew-self', () => refuse(500, { errors: [text] }));
    await world.started();
    await world.clock.advance(2_401_000);
    expect([world.renewals(), world.logins()]).toEqual([1, 2]);
    expect(world.of('login-renew-failed')).toMatchObject([{ failure: { code: 'AUTH_DENIED' }, retryInMs: 0 }]);
  });

  test('by an answer without content, since the user is gone, is followed by a login at once', async () => {
    await using world = sessionWorld({ ttlS: 3600 });
    world.server.swap('POST auth/token/renew-self', () => answer({}, 204));
    await world.started();
    await world.clock.advance(2_401_000);
    expect([world.renewals(), world.logins()]).toEqual([1, 2]);
    expect(world.of('login-renew-failed')).toMatchObject([{ failure: { code: 'AUTH_DENIED' }, retryInMs: 0 }]);
  });

  test('by the policy says which path to allow, and what happens instead', async () => {
    await using world = sessionWorld({ ttlS: 60 });
    world.server.swap('POST auth/token/renew-self', () => refuse(403, { errors: ['permission denied'] }));
    await world.started();
    await world.clock.advance(41_000);
    const [{ failure } = { failure: undefined }] = world.of('login-renew-failed');
    expect(failure).toMatchObject({ code: 'AUTH_DENIED', hint: expect.stringContaining('auth/token/renew-self') });
    expect(failure?.hint).toContain('A new login is made');
  });
});

/** OpenBao has Kubernetes review the JWT of a login again at each renewal. */
const JWT_GONE = 'failed to renew entry: failed to validate token and secret still exist for "shop" during renewal: no';

describe('a login by a JWT that the server checks again at each renewal', () => {
  /** Each login has a JWT with `jwtMs` left, and a renewal after that is refused. */
  function jwtWorld(jwtMs: number, ttlS = 3600) {
    let endsMs = 0;
    const method: AuthMethod = {
      kind: 'kubernetes',
      async login(signal) {
        const { clock, server } = world;
        endsMs = clock.monoMs() + jwtMs;
        const place = 'backends.bao.auth';
        const login = await logInAt({ client: server, clock, place, mount: 'kubernetes', body: {} }, signal);
        return { ...login, credentialEndsMonoMs: endsMs };
      },
    };
    const world = sessionWorld({ ttlS }, { method });
    const renew = world.server.routes.get('POST auth/token/renew-self');
    world.server.on('POST auth/token/renew-self', (call, signal) => {
      if (world.clock.monoMs() >= endsMs) return refuse(403, { errors: [JWT_GONE] });
      return renew?.(call, signal) ?? refuse(404);
    });
    return world;
  }

  test('is refused a renewal once, and from then on a new login is made before one would be', async () => {
    await using world = jwtWorld(600_000);
    await world.started();
    await world.clock.advance(2_401_000);
    expect(world.of('login-renew-failed')).toMatchObject([
      { failure: { code: 'AUTH_EXPIRED', hint: expect.stringContaining('expirationSeconds') }, retryInMs: 0 },
    ]);
    expect(world.logins()).toBe(2);
    await world.clock.advance(20 * 3_600_000);
    expect(world.of('login-renew-failed')).toHaveLength(1);
    expect(world.of('login-replaced').every(({ reason }) => reason === 'ending')).toBe(true);
  });

  test('is renewed once more shortly before its JWT ends, so that it lives longest', async () => {
    await using world = jwtWorld(600_000);
    await world.started();
    await world.clock.advance(2_401_000);
    const before = world.renewals();
    await world.clock.advance(580_000);
    expect(world.renewals()).toBe(before);
    await world.clock.advance(20_000);
    expect(world.renewals()).toBe(before + 1);
    await world.clock.advance(2_300_000);
    expect([world.renewals(), world.logins()]).toEqual([before + 1, 2]);
    await world.clock.advance(200_000);
    expect([world.renewals(), world.logins()]).toEqual([before + 1, 3]);
  });

  test('whose JWT outlives its renewals is renewed as any other', async () => {
    await using world = jwtWorld(86_400_000);
    await world.started();
    await world.clock.advance(86_000_000);
    expect([world.logins(), world.of('login-renew-failed').length]).toEqual([1, 0]);
  });

  test('fails as one whose pod or service account is gone while its JWT is valid', async () => {
    await using world = jwtWorld(86_400_000);
    world.server.swap('POST auth/token/renew-self', () => refuse(403, { errors: [JWT_GONE] }));
    await world.started();
    await world.clock.advance(2_401_000);
    expect(world.of('login-renew-failed')).toMatchObject([
      { failure: { code: 'AUTH_DENIED', hint: expect.stringContaining('service account') } },
    ]);
  });
});

test('a server that never checks the JWT again renews a login past the end of it', async () => {
  const method: AuthMethod = {
    kind: 'kubernetes',
    async login(signal) {
      const { clock, server } = world;
      const call = { client: server, clock, place: 'here', mount: 'kubernetes', body: {} };
      return { ...(await logInAt(call, signal)), credentialEndsMonoMs: clock.monoMs() + 600_000 };
    },
  };
  await using world = sessionWorld({ ttlS: 3600 }, { method });
  await world.started();
  await world.clock.advance(86_400_000);
  expect(world.logins()).toBe(1);
});

describe('a login that a cache on the way answers', () => {
  const cached = (ageS: number, first: string) =>
    answer({ auth: { client_token: first, lease_duration: 60, renewable: false } }, 200, { age: String(ageS) });

  test('lasts shorter by the Age of the answer', async () => {
    await using world = sessionWorld();
    world.server.swap('POST auth/kubernetes/login', () => cached(25, 'token-1'));
    await world.started();
    expect(world.session.endsMonoMs(1)).toBe(35_000);
  });

  test('with the same token again is looked up, and stays what it is', async () => {
    await using world = sessionWorld({ ttlS: 60, renewable: false });
    await world.started();
    world.server.swap('POST auth/kubernetes/login', () => cached(0, 'token-1'));
    world.server.swap('GET auth/token/lookup-self', () =>
      answer({ data: { ttl: Math.floor((60_000 - world.clock.monoMs()) / 1000), expire_time: 'then' } }),
    );
    await world.clock.advance(50_000);
    expect(world.lookups()).toBeGreaterThan(0);
    expect((await world.current()).id).toBe(1);
    expect(world.session.endsMonoMs(1)).toBe(60_000);
    expect(world.of('login-failed')[0]?.failure).toMatchObject({
      code: 'AUTH_UNUSABLE',
      hint: expect.stringContaining('cache'),
    });
  });

  test('with a token that has ended is not taken, and not asked for in a loop', async () => {
    await using world = sessionWorld({ ttlS: 60, renewable: false });
    await world.started();
    const mend = world.server.swap('POST auth/kubernetes/login', () => cached(0, 'token-1'));
    await world.clock.advance(120_000);
    expect(world.session.trouble()).toMatchObject({ code: 'AUTH_UNUSABLE', hint: expect.stringContaining('cache') });
    expect(world.server.count('auth/kubernetes/login')).toBeLessThan(20);
    mend();
    await world.clock.advance(31_000);
    expect((await world.current()).id).toBe(2);
  });

  test('and so is a renewal', async () => {
    await using world = sessionWorld({ ttlS: 60 });
    await world.started();
    world.server.swap('POST auth/token/renew-self', () =>
      answer({ auth: { client_token: 'token-1', lease_duration: 60, renewable: true } }, 200, { age: '10' }),
    );
    await world.clock.advance(40_100);
    expect(world.session.endsMonoMs(1)).toBe(90_000);
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
    expect(world.renewals()).toBeGreaterThan(4);
    expect(world.renewals()).toBeLessThan(50);
    mend();
    await world.clock.advance(190_000);
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

  test('until the end leads to no use of a dead login, and logging in is tried on', async () => {
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

  test('logs in again when the login has ended meanwhile', async () => {
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

describe('a login that ends soon, at a server that takes requests and does not answer', () => {
  test.each([
    ['is renewed', true],
    ['is replaced', false],
  ])('%s in time: what each try waits for leaves time for two more', async (_how, renewable) => {
    await using world = sessionWorld({ ttlS: 30, renewable });
    await world.started();
    const { clock, server } = world;
    const silent: Handler = async ({ place }, signal) => {
      await clock.sleep(tryMs(10_000, endsMonoMsOf(signal) - clock.monoMs()), signal);
      throw fail('BACKEND_TIMEOUT', place, 'no whole answer');
    };
    for (const route of ['POST auth/token/renew-self', 'POST auth/kubernetes/login']) server.on(route, silent);
    await clock.advance(29_990);
    expect(world.renewals() + world.logins() - 1).toBeGreaterThanOrEqual(3);
    expect(world.session.state).not.toBe('dead');
  });
});
