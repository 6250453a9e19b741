import { describe, expect, test } from 'vitest';
import type { KeptLogin } from '../../../../src/backend/kept-login.ts';
import type { AuthMethod } from '../../../../src/backend/vault/auth/method.ts';
import { PROOF_MS } from '../../../../src/backend/vault/auth/resume-login.ts';
import { fail } from '../../../../src/base/errors.ts';
import { Secret } from '../../../../src/base/secret.ts';
import { settle } from '../../../fake-clock.ts';
import { answer, type Handler, refuse, silence, unreachable } from './fake-vault.ts';
import { sessionWorld } from './session.helpers.ts';

const HOUR_MS = 3_600_000;
const LOOKUP = 'GET auth/token/lookup-self';

const kept = (more: Partial<KeptLogin> = {}): KeptLogin => ({
  token: Secret.text('token-kept'),
  ttlMs: HOUR_MS,
  renewable: true,
  startedMonoMs: -600_000,
  loginId: 4,
  endsWithProcess: false,
  ...more,
});

/** A session with the login of an earlier process, at a server that answers lookup-self by `handler`. */
function world(handler: Handler, login: KeptLogin = kept(), method?: AuthMethod) {
  const made = sessionWorld({}, { earlier: () => login, ...(method === undefined ? {} : { method }) });
  made.server.swap(LOOKUP, handler);
  return made;
}

const alive: Handler = () => answer({ data: { ttl: 1800, renewable: true, expire_time: 'x', accessor: 'acc' } });

/** Lets the part that is loaded on need be loaded. */
const loaded = async () => {
  await import('../../../../src/backend/vault/auth/resume-login.ts');
  await settle();
};

describe('the login of an earlier process', () => {
  test('is used when lookup-self says that it is alive, with the life that the server says', async () => {
    await using session = world(alive);
    expect(await session.session.resumed()).toEqual({ loginId: 1 });
    const login = await session.current();
    expect([login.token.exposeText('backend'), login.endsMonoMs, session.logins()]).toEqual([
      'token-kept',
      1_800_000,
      0,
    ]);
    expect(session.kinds()).toEqual(['login-resumed']);
    await session.clock.advance(1_200_000);
    expect(session.renewals()).toBe(1);
  });

  test.each<[string, Handler]>([
    ['is dead', () => refuse(403, { errors: ['permission denied'] })],
    ['has counted uses', () => answer({ data: { ttl: 1800, num_uses: 5 } })],
    ['ends within a second', () => answer({ data: { ttl: 0, expire_time: 'x' } })],
  ])('that %s is dropped, and another is made', async (_, handler) => {
    await using session = world(handler);
    const resumed = session.session.resumed();
    await loaded();
    expect(await resumed).toBeUndefined();
    await session.current();
    expect([session.logins(), session.kinds()]).toEqual([1, ['login-made']]);
  });

  test('that ended meanwhile is not asked about', async () => {
    await using session = world(alive, kept({ startedMonoMs: -HOUR_MS }));
    expect(await session.session.resumed()).toBeUndefined();
    expect([session.lookups(), (await session.current()).token.exposeText('backend')]).toEqual([0, 'token-1']);
  });

  test.each<[string, Handler]>([
    ['cannot be reached', unreachable],
    ['answers 503', () => refuse(503)],
    ['is sealed', () => refuse(503, { errors: ['Vault is sealed'] })],
    ['does not answer', (_, signal) => silence(signal)],
  ])('is used until its end as it was known when the server %s', async (_, handler) => {
    await using session = world(handler);
    const resumed = session.session.resumed();
    await loaded();
    await session.clock.advance(PROOF_MS);
    expect(await resumed).toMatchObject({ loginId: 1, why: { retry: 'backoff' } });
    expect(await session.current()).toMatchObject({ id: 1, endsMonoMs: 3_000_000 });
    expect(session.of('login-resumed')).toHaveLength(1);
  });

  test.each([
    [false, 0],
    [true, 1],
  ])(
    'is not revoked after a failed init, since another agent may use it; with revokeOnExit %s',
    async (revokeOnExit, revocations) => {
      await using session = sessionWorld({}, { earlier: () => kept(), revokeOnExit });
      session.server.swap(LOOKUP, alive);
      await session.session.resumed();
      await session.session.revoke(new AbortController().signal);
      expect(session.server.count('auth/token/revoke-self')).toBe(revocations);
      expect(session.session.loginToKeep()?.token.exposeText('backend')).toBe('token-kept');
    },
  );

  test('that was dead after all is replaced by the first request under it', async () => {
    await using session = world(unreachable);
    const resumed = session.session.resumed();
    await loaded();
    await resumed;
    session.server.swap(LOOKUP, () => refuse(403, { errors: ['permission denied'] }));
    await session.read('secret/open');
    expect([session.logins(), session.of('login-replaced')]).toMatchObject([1, [{ reason: 'dead' }]]);
  });

  test.each<[string, AuthMethod['uses'], string]>([
    ['the same token is configured', async () => true, 'token-kept'],
    ['another token is configured by now', async () => false, 'borrowed'],
    [
      'the token cannot be read',
      async () => {
        throw fail('AUTH_CREDENTIAL_UNREADABLE', 'x', 'y');
      },
      'borrowed',
    ],
  ])('by a borrowed token, when %s', async (_, uses, token) => {
    const login = { token: Secret.text('borrowed'), accessor: undefined, ttlMs: 'forever', renewable: false } as const;
    const method: AuthMethod = {
      kind: 'token',
      borrowsToken: true,
      ...(uses === undefined ? {} : { uses }),
      login: async () => ({ ...login, usesLeft: 'unlimited', startedMonoMs: 0 }),
    };
    await using session = world(alive, kept(), method);
    expect((await session.current()).token.exposeText('backend')).toBe(token);
  });
});

describe('the login for the next process', () => {
  test('is the one in use', async () => {
    await using session = sessionWorld({ ttlS: 60 });
    expect(session.session.loginToKeep()).toBeUndefined();
    await session.started();
    expect(session.session.loginToKeep()).toMatchObject({ loginId: 1, ttlMs: 60_000, endsWithProcess: false });
  });

  test('is none when its uses are counted', async () => {
    await using session = sessionWorld({ uses: 100 });
    await session.started();
    expect(session.session.loginToKeep()).toBeUndefined();
  });

  test('is none after it was revoked, but stays when that failed', async () => {
    await using revoked = sessionWorld();
    await revoked.started();
    await revoked.session.revoke(new AbortController().signal);
    expect(revoked.session.loginToKeep()).toBeUndefined();
    await using failed = sessionWorld();
    await failed.started();
    failed.server.swap('POST auth/token/revoke-self', unreachable);
    await failed.session.revoke(new AbortController().signal);
    expect(failed.session.loginToKeep()).toBeDefined();
  });

  test('says that it ends with the process when it is revoked at the end', async () => {
    await using session = sessionWorld({}, { revokeOnExit: true });
    await session.started();
    expect(session.session.loginToKeep()).toMatchObject({ endsWithProcess: true });
  });
});
