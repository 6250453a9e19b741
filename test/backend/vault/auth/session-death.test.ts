import { describe, expect, test } from 'vitest';
import { answer, type FakeTokens, refuse, unreachable } from './fake-vault.ts';
import { codeOf, sessionWorld } from './session.helpers.ts';

/** Answers a dead token as Vault does; OpenBao says "permission denied". */
function callDeadTokensInvalid(server: FakeTokens): void {
  const known = server.routes.get('GET secret/open');
  server.on('GET secret/open', async (call, signal) => {
    try {
      return (await known?.(call, signal)) ?? refuse(404);
    } catch {
      return refuse(403, { errors: ['permission denied', 'invalid token'] });
    }
  });
}

describe('a revoked login', () => {
  test('is noticed at the next 403, and the call succeeds under a new one', async () => {
    await using world = sessionWorld({ ttlS: 3600 });
    await world.started();
    await world.clock.advance(60_000);
    world.server.revoke();
    const { loginId } = await world.read('secret/open');
    expect(loginId).toBe(2);
    expect(world.logins()).toBe(2);
    expect(world.session.endsMonoMs(1)).toBe(Number.NEGATIVE_INFINITY);
    expect(world.of('login-replaced')).toMatchObject([{ login: 2, reason: 'dead' }]);
  });

  test('is asked about once and replaced once, however many calls were refused', async () => {
    await using world = sessionWorld({ ttlS: 3600 });
    await world.started();
    await world.clock.advance(60_000);
    world.server.revoke();
    const answers = await Promise.all(Array.from({ length: 100 }, () => world.read('secret/open')));
    expect(answers.every(({ loginId }) => loginId === 2)).toBe(true);
    expect(world.logins()).toBe(2);
    // One lookup by `suspect`, and one by `calibrate`, which checks the new login once per session.
    expect(world.lookups()).toBe(2);
  });

  test('calls the listeners of onReplacing', async () => {
    await using world = sessionWorld({ ttlS: 3600 });
    const moved: number[] = [];
    world.session.onReplacing(async ({ id }) => void moved.push(id));
    const called = world.session.onReplacing(async () => void moved.push(-1));
    called[Symbol.dispose]();
    await world.started();
    expect(moved).toEqual([]);
    world.server.revoke();
    await world.read('secret/open');
    expect(moved).toEqual([2]);
  });

  test('is reported as dead at that moment, before the next one is made', async () => {
    await using world = sessionWorld({ ttlS: 3600 });
    const heard: [number, number][] = [];
    world.session.onDead(() => heard.push([world.logins(), world.session.endsMonoMs(1)]));
    await world.started();
    world.server.revoke();
    await world.read('secret/open');
    expect(heard).toEqual([[1, Number.NEGATIVE_INFINITY]]);
  });

  test('is told apart from a login that was replaced already, without a lookup', async () => {
    await using world = sessionWorld({ ttlS: 60, renewable: false });
    await world.started();
    await world.clock.advance(41_000);
    expect(await world.session.suspect(1)).toBe('replaced');
    expect(world.lookups()).toBe(0);
  });

  test('that the server calls invalid is replaced at once', async () => {
    await using world = sessionWorld({ ttlS: 3600 });
    await world.started();
    await world.clock.advance(60_000);
    callDeadTokensInvalid(world.server);
    world.server.revoke();
    expect((await world.read('secret/open')).loginId).toBe(2);
    expect([world.clock.monoMs(), world.logins()]).toEqual([60_000, 2]);
  });

  test('that the server calls invalid is replaced at once, also where the policy denies lookup-self', async () => {
    await using world = sessionWorld({ ttlS: 3600 });
    world.server.swap('GET auth/token/lookup-self', () => refuse(403, { errors: ['permission denied'] }));
    await world.started();
    callDeadTokensInvalid(world.server);
    for (const id of [2, 3]) {
      await world.clock.advance(60_000);
      world.server.revoke();
      expect((await world.read('secret/open')).loginId).toBe(id);
    }
    expect(await codeOf(world.read('secret/denied'))).toBe('SECRET_DENIED');
    expect(world.logins()).toBe(3);
  });

  test('said to be invalid by the server is asked about as well', async () => {
    await using world = sessionWorld({ ttlS: 3600 });
    await world.started();
    world.server.on('GET secret/odd', () => refuse(403, { errors: ['invalid token'] }));
    expect(await codeOf(world.read('secret/odd'))).toBe('SECRET_DENIED');
    expect(world.lookups()).toBe(1);
    expect(world.logins()).toBe(1);
  });
});

describe('a denied path', () => {
  test('never causes a login, and asks about the login a few times only', async () => {
    await using world = sessionWorld({ ttlS: 3600 });
    await world.started();
    for (let poll = 0; poll < 600; poll++) {
      expect(await codeOf(world.read('secret/denied'))).toBe('SECRET_DENIED');
      await world.clock.advance(100);
    }
    expect(world.logins()).toBe(1);
    expect(world.lookups()).toBeLessThanOrEqual(60);
    expect(world.server.count('secret/denied')).toBe(600);
  });

  test('does not hide that the login is revoked later', async () => {
    await using world = sessionWorld({ ttlS: 3600 });
    await world.started();
    await codeOf(world.read('secret/denied'));
    world.server.revoke();
    await world.clock.advance(1000);
    expect(await codeOf(world.read('secret/denied'))).toBe('SECRET_DENIED');
    expect(world.logins()).toBe(2);
  });

  test('hides a revoked login from other callers for at most a second', async () => {
    await using world = sessionWorld({ ttlS: 3600 });
    await world.started();
    await codeOf(world.read('secret/denied'));
    world.server.revoke();
    for (let poll = 0; poll < 10; poll++) {
      await codeOf(world.read('secret/denied'));
      await world.clock.advance(100);
    }
    expect((await world.read('secret/open')).loginId).toBe(2);
  });

  test.each([
    ['unreachable', unreachable],
    ['sealed', () => refuse(503)],
  ])('causes no login while the lookup gets no answer (%s)', async (_, broken) => {
    await using world = sessionWorld({ ttlS: 3600 });
    await world.started();
    world.server.swap('GET auth/token/lookup-self', broken);
    expect(await codeOf(world.read('secret/denied'))).toBe('SECRET_DENIED');
    expect(world.logins()).toBe(1);
  });

  test('causes one login, not one per poll, when the policy denies lookup-self as well', async () => {
    await using world = sessionWorld({ ttlS: 3600 });
    await world.started();
    world.server.swap('GET auth/token/lookup-self', () => refuse(403, { errors: ['permission denied'] }));
    for (let poll = 0; poll < 60; poll++) {
      expect(await codeOf(world.read('secret/denied'))).toBe('SECRET_DENIED');
      await world.clock.advance(5000);
    }
    expect(world.logins()).toBe(2);
    expect(world.lookups()).toBe(2);
    expect(world.of('agent-warning')).toMatchObject([{ warning: { code: 'AUTH_UNUSABLE' } }]);
  });
});

describe('logins that die young one after another', () => {
  test('are replaced with backoff: no login loop', async () => {
    await using world = sessionWorld({ ttlS: 3600 });
    await world.started();
    world.server.swap('GET auth/token/lookup-self', (call) =>
      call.token?.exposeText('backend') === 'token-2' && world.lookups() === 2 ? answer({ data: {} }) : refuse(403),
    );
    const stop = new AbortController();
    const loop = (async () => {
      while (!stop.signal.aborted && world.logins() < 1000) {
        const login = await world.session.current(stop.signal);
        await world.session.suspect(login.id);
        await world.clock.sleep(10, stop.signal);
      }
    })();
    await world.clock.advance(60_000);
    stop.abort();
    await codeOf(loop);
    expect(world.logins()).toBeGreaterThan(5);
    expect(world.logins()).toBeLessThan(15);
  });

  test('have the first one replaced at once', async () => {
    await using world = sessionWorld({ ttlS: 3600 });
    await world.started();
    world.server.revoke();
    await world.read('secret/open');
    expect(world.clock.monoMs()).toBe(0);
    expect(world.logins()).toBe(2);
  });
});

describe('a login with limited uses', () => {
  test('is followed by another when the uses are over, without a refused call', async () => {
    await using world = sessionWorld({ ttlS: 3600, uses: 10 });
    const moved: number[] = [];
    world.session.onReplacing(async ({ id }) => void moved.push(id));
    await Promise.all(Array.from({ length: 25 }, () => world.read('secret/open')));
    expect(world.server.count('secret/open')).toBe(25);
    expect(world.lookups()).toBe(0);
    expect(world.logins()).toBe(3);
    expect(moved).toEqual([]);
  });

  test('ends with its last use, and so do the leases under it', async () => {
    await using world = sessionWorld({ ttlS: 3600, uses: 3 });
    const heard: number[] = [];
    world.session.onDead(() => heard.push(world.session.endsMonoMs(1)));
    for (let use = 0; use < 2; use++) await world.read('secret/open');
    expect([heard.length, world.session.endsMonoMs(1) > 0]).toEqual([0, true]);
    await world.read('secret/open');
    expect(heard).toEqual([Number.NEGATIVE_INFINITY]);
  });

  test('that another program used up is noticed and replaced at once', async () => {
    await using world = sessionWorld({ ttlS: 3600, uses: 3 });
    await world.started();
    world.server.revoke();
    expect((await world.read('secret/open')).loginId).toBe(2);
  });
});
