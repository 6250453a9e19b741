import { describe, expect, test } from 'vitest';
import { createTokenMethod } from '../../../../src/backend/vault/auth/methods/token.ts';
import { Secret } from '../../../../src/base/secret.ts';
import { Supervisor } from '../../../../src/base/supervisor.ts';
import { FakeClock, settle } from '../../../fake-clock.ts';
import { answer, FakeTokens, refuse, silence, unreachable } from './fake-vault.ts';
import { codeOf, sessionWorld } from './session.helpers.ts';

describe('the first login', () => {
  test('is made on first need and not before', async () => {
    await using world = sessionWorld();
    await settle();
    expect(world.server.calls).toHaveLength(0);
    expect(world.session.state).toBe('out');
    expect((await world.current()).id).toBe(1);
  });

  test('is visible from outside: whether it is usable, when it ends, and when its keeper acts next', async () => {
    await using world = sessionWorld();
    expect(world.session.view()).toEqual({
      method: 'kubernetes',
      state: 'out',
      isUsable: false,
      endsMonoMs: undefined,
      nextMonoMs: undefined,
    });
    const login = await world.current();
    await settle();
    const view = world.session.view();
    expect(view).toMatchObject({ state: 'live', isUsable: true, endsMonoMs: login.endsMonoMs });
    expect(view.nextMonoMs).toBeGreaterThan(world.clock.monoMs());
    expect(view.nextMonoMs).toBeLessThan(login.endsMonoMs);
  });

  test('is made once for all callers that wait', async () => {
    await using world = sessionWorld();
    const logins = await Promise.all(Array.from({ length: 1000 }, () => world.current()));
    expect(new Set(logins.map(({ id }) => id))).toEqual(new Set([1]));
    expect(world.logins()).toBe(1);
  });

  test('that fails is tried again with backoff, and trouble says why', async () => {
    await using world = sessionWorld();
    const mend = world.server.swap('POST auth/kubernetes/login', () => refuse(403, { errors: ['permission denied'] }));
    const waiting = world.current();
    await world.clock.advance(60_000);
    expect(world.logins()).toBeGreaterThan(6);
    expect(world.logins()).toBeLessThan(15);
    expect(world.session.state).toBe('logging-in');
    expect(world.session.trouble()).toMatchObject({
      code: 'AUTH_DENIED',
      place: 'backends.bao.auth',
      seen: expect.stringContaining('permission denied'),
    });
    expect(world.of('login-failed')[0]).toMatchObject({ method: 'kubernetes', retryInMs: 375 });
    mend();
    await world.clock.advance(31_000);
    expect((await waiting).id).toBe(1);
    expect(world.session.trouble()).toBeUndefined();
  });

  test('that fails is tried later and later, also while the server says Retry-After: 0', async () => {
    await using world = sessionWorld();
    world.server.swap('POST auth/kubernetes/login', () => refuse(503, { errors: [] }, { 'retry-after': '0' }));
    const waiting = codeOf(world.current());
    await world.clock.advance(60_000);
    expect(world.logins()).toBeLessThan(15);
    await world[Symbol.asyncDispose]();
    expect(await waiting).toBe('CANCELLED');
  });

  test('waits no longer than the caller wants', async () => {
    await using world = sessionWorld();
    world.server.swap('POST auth/kubernetes/login', unreachable);
    const stop = new AbortController();
    const waiting = world.session.current(stop.signal);
    await world.clock.advance(1000);
    stop.abort();
    expect(await codeOf(waiting)).toBe('CANCELLED');
  });
});

describe('the end of a session', () => {
  test('stops a login under way and leaves no timer', async () => {
    const world = sessionWorld();
    world.server.swap('POST auth/kubernetes/login', (_, signal) => silence(signal));
    const waiting = codeOf(world.current());
    await settle();
    await world[Symbol.asyncDispose]();
    expect(await waiting).toBe('CANCELLED');
    expect(await codeOf(world.current())).toBe('CANCELLED');
    expect(world.session.state).toBe('stopped');
    expect(world.clock.waiting).toBe(0);
  });

  test('does not revoke the login: the application still uses the leases under it', async () => {
    const world = sessionWorld();
    await world.started();
    await world[Symbol.asyncDispose]();
    expect(world.server.count('auth/token/revoke-self')).toBe(0);
  });

  test('revokes it with revokeOnExit, once', async () => {
    const world = sessionWorld({}, { revokeOnExit: true });
    await world.started();
    await world[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
    expect(world.server.count('auth/token/revoke-self')).toBe(1);
    expect(world.of('login-revoked')).toEqual([{ kind: 'login-revoked', backend: 'bao' }]);
    expect(world.clock.waiting).toBe(0);
  });

  test('revokes the logins that were replaced too: leases under them may be in use', async () => {
    const world = sessionWorld({ ttlS: 60, renewable: false }, { revokeOnExit: true });
    await world.started();
    await world.clock.advance(41_000);
    expect(world.logins()).toBe(2);
    await world[Symbol.asyncDispose]();
    expect(world.server.count('auth/token/revoke-self')).toBe(2);
  });

  test('does not revoke logins that have ended by themselves', async () => {
    const world = sessionWorld({ ttlS: 60, renewable: false }, { revokeOnExit: true });
    await world.started();
    await world.clock.advance(61_000);
    expect(world.logins()).toBe(2);
    await world[Symbol.asyncDispose]();
    expect(world.server.count('auth/token/revoke-self')).toBe(1);
  });

  test('takes two seconds at most when the server is silent', async () => {
    const world = sessionWorld({}, { revokeOnExit: true });
    await world.started();
    world.server.swap('POST auth/token/revoke-self', (_, signal) => silence(signal));
    const ended = world[Symbol.asyncDispose]();
    await world.clock.advance(2000);
    await ended;
    expect(world.of('login-revoked')).toMatchObject([{ failure: { code: 'BACKEND_TIMEOUT' } }]);
  });

  test('after a failed init revokes the login, whatever revokeOnExit says', async () => {
    const world = sessionWorld();
    await world.started();
    await world.session.revoke(new AbortController().signal);
    await world[Symbol.asyncDispose]();
    expect(world.server.count('auth/token/revoke-self')).toBe(1);
    expect(await codeOf(world.current())).toBe('CANCELLED');
  });

  test('comes with the end of its supervisor', async () => {
    const supervisor = new Supervisor(() => {});
    const world = sessionWorld({}, { supervisor });
    await world.started();
    await supervisor.stop();
    expect(world.session.state).toBe('stopped');
    expect(await codeOf(world.current())).toBe('CANCELLED');
    await world[Symbol.asyncDispose]();
  });
});

describe('a token that another program made', () => {
  /** A static token that ends in 100 s and cannot be renewed. */
  function staticWorld(revokeOnExit = false) {
    const client = new FakeTokens(new FakeClock());
    const tools = { client, clock: new FakeClock(), place: 'backends.bao.auth' };
    const method = createTokenMethod({ token: Secret.text('static') }, tools);
    const world = sessionWorld({}, { method, revokeOnExit });
    client.on('GET auth/token/lookup-self', () => {
      const ttl = Math.floor(100 - world.clock.monoMs() / 1000);
      if (ttl <= 0) refuse(403);
      return answer({ data: { ttl, renewable: false, expire_time: '2030-01-01T00:00:00Z' } });
    });
    // The method has the same clock as the session.
    tools.clock.monoMs = () => world.clock.monoMs();
    return { ...world, static: client };
  }

  test('is kept to its end under one id, so that no lease is fetched again without need', async () => {
    await using world = staticWorld();
    await world.started();
    await world.clock.advance(99_000);
    expect((await world.current()).id).toBe(1);
    expect(world.of('login-made')).toHaveLength(1);
    expect(world.of('login-failed')[0]).toMatchObject({ failure: { code: 'AUTH_UNUSABLE' } });
    expect(world.static.count('auth/token/lookup-self')).toBeLessThan(40);
    await world.clock.advance(10_000);
    expect(world.session.trouble()?.code).toBe('AUTH_DENIED');
  });

  test('is not revoked because an init failed', async () => {
    const world = staticWorld();
    await world.started();
    await world.session.revoke(new AbortController().signal);
    expect(world.server.count('auth/token/revoke-self')).toBe(0);
  });
});
