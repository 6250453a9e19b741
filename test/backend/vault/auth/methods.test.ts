import { mkdtemp, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../../../../src/base/secret.ts';
import { answer, refuse, unreachable } from './fake-vault.ts';
import { auth, bodyOf, common, failureOf, methodOf } from './method.helpers.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pannier-auth-'));
});
afterAll(() => rm(dir, { recursive: true }));

const kubernetes = (tokenFile: string, mount = 'kubernetes') =>
  ({ method: 'kubernetes', mount, role: 'shop', tokenFile, ...common }) as const;

const jwtOf = (claims: object): string =>
  ['{"alg":"RS256"}', JSON.stringify(claims), 'signature']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');
const in9m = (clock: { wallMs(): number }): number => clock.wallMs() / 1000 + 540;

describe('the kubernetes login', () => {
  test('posts role and token to its mount, as a call that is not sent twice', async () => {
    const file = join(dir, 'jwt');
    await writeFile(file, 'ey.j.wt\n');
    const { client, clock, logIn } = methodOf(kubernetes(file, '/team/k8s/'));
    client.on('POST auth/team/k8s/login', () => answer({ auth }));
    await clock.advance(5000);
    const login = await logIn();
    expect(client.calls).toMatchObject([{ idempotent: false, place: 'backends.bao.auth' }]);
    expect(client.calls[0]).not.toHaveProperty('token');
    expect(bodyOf(client)).toEqual({ role: 'shop', jwt: 'ey.j.wt' });
    expect(login).toMatchObject({ ttlMs: 60_000, renewable: true, usesLeft: 'unlimited', startedMonoMs: 5000 });
    expect(login.token.exposeText('backend')).toBe('made');
  });

  test('refused, has a hint that the server must be allowed to review tokens', async () => {
    await writeFile(join(dir, 'jwt'), 'jwt');
    const { client, logIn } = methodOf(kubernetes(join(dir, 'jwt')));
    client.on('POST auth/kubernetes/login', () => refuse(403));
    await expect(logIn()).rejects.toMatchObject({
      failure: {
        code: 'AUTH_DENIED',
        hint: expect.stringMatching(/service account and the pod .* still there, .*system:auth-delegator/),
      },
    });
  });

  test('refused, shows the claims of the JWT in the file, and no part that would be enough to log in', async () => {
    const file = join(dir, 'said');
    const { client, clock, logIn } = methodOf(kubernetes(file));
    client.on('POST auth/kubernetes/login', () => refuse(403, { errors: ['permission denied'] }));
    const jwt = jwtOf({ sub: 'system:serviceaccount:team:shop', aud: ['https://k8s', 'x y"'], exp: in9m(clock) });
    await writeFile(file, jwt);
    const { code, seen, hint } = await failureOf(logIn);
    expect([code, seen]).toEqual([
      'AUTH_DENIED',
      expect.stringContaining(
        `(permission denied) for GET path; the JWT in ${file} is of the service account team/shop, for the audience https://k8s, (not a plain name), good for 9m`,
      ),
    ]);
    expect(hint).toContain('audience');
    for (const part of jwt.split('.')) expect(seen).not.toContain(part);
  });

  test.each([
    [{ aud: 'x y"' }, 'for the audience (not a plain name)'],
    [{ aud: [] }, 'for no audience'],
    [{}, 'for no audience'],
  ])('refused with a JWT of the claims %j, says that it is %s', async (claims, whom) => {
    const file = join(dir, 'whom');
    const { client, logIn } = methodOf(kubernetes(file));
    client.on('POST auth/kubernetes/login', () => refuse(403));
    await writeFile(file, jwtOf(claims));
    expect((await failureOf(logIn)).seen.endsWith(`the JWT in ${file} is ${whom}`)).toBe(true);
  });

  test('refused with a JWT that has expired, says so and since when', async () => {
    const file = join(dir, 'old');
    const { client, clock, logIn } = methodOf(kubernetes(file));
    client.on('POST auth/kubernetes/login', () => refuse(403, { errors: ['permission denied'] }));
    await writeFile(file, jwtOf({ exp: in9m(clock) - 2 * 540 }));
    expect(await failureOf(logIn)).toMatchObject({
      code: 'AUTH_EXPIRED',
      seen: expect.stringContaining(`the JWT in ${file} expired 9m ago`),
    });
  });

  test.each([
    ['not.a.jwt'],
    ['..'],
    ['a.W10.b'],
    [`a.${Buffer.from('{"exp":"x","aud":{"a":1},"sub":5}').toString('base64url')}.b`],
  ])('refused with %s in the file, fails as any other credential', async (text) => {
    const file = join(dir, 'odd');
    const { client, logIn } = methodOf(kubernetes(file));
    client.on('POST auth/kubernetes/login', () => refuse(403));
    await writeFile(file, text);
    expect(await failureOf(logIn)).toMatchObject({ code: 'AUTH_DENIED' });
  });

  test('ends, for renewals that check it again, with its JWT', async () => {
    const file = join(dir, 'ends');
    const { client, clock, logIn } = methodOf(kubernetes(file));
    client.on('POST auth/kubernetes/login', () => answer({ auth }));
    await clock.advance(5000);
    await writeFile(file, jwtOf({ exp: in9m(clock) }));
    expect(await logIn()).toMatchObject({ credentialEndsMonoMs: 545_000 });
  });

  test('reads the file at each login, through the link that the kubelet swaps', async () => {
    const link = join(dir, 'token');
    for (const text of ['first', 'second']) {
      await writeFile(join(dir, text), text);
      await unlink(link).catch(() => {});
      await symlink(text, link);
      const { client, logIn } = methodOf(kubernetes(link));
      client.on('POST auth/kubernetes/login', () => answer({ auth }));
      await logIn();
      expect(bodyOf(client)).toMatchObject({ jwt: text });
    }
  });

  test.each([
    ['a final newline', 'jwt\n', 'jwt'],
    ['a final newline of Windows', 'jwt\r\n', 'jwt'],
    ['one of two newlines', 'jwt\n\n', 'jwt\n'],
    ['nothing else', ' jwt ', ' jwt '],
  ])('drops %s', async (_, text, expected) => {
    await writeFile(join(dir, 'newline'), text);
    const { client, logIn } = methodOf(kubernetes(join(dir, 'newline')));
    client.on('POST auth/kubernetes/login', () => answer({ auth }));
    await logIn();
    expect(bodyOf(client)).toMatchObject({ jwt: expected });
  });

  test.each([
    ['empty', Buffer.from(''), 'AUTH_CREDENTIAL_EMPTY', 'is empty'],
    ['a newline alone', Buffer.from('\n'), 'AUTH_CREDENTIAL_EMPTY', 'is empty'],
    ['not text', Buffer.from([0xff, 0xfe]), 'AUTH_CREDENTIAL_UNREADABLE', 'is not text'],
  ])('is not sent when the file is %s', async (_, bytes, code, seen) => {
    await writeFile(join(dir, 'bad'), bytes);
    const { client, logIn } = methodOf(kubernetes(join(dir, 'bad')));
    const place = 'backends.bao.auth.tokenFile';
    expect(await failureOf(logIn)).toMatchObject({ code, place, seen: `${join(dir, 'bad')} ${seen}` });
    expect(client.calls).toEqual([]);
  });

  test.each([
    ['missing', 'nowhere', 'does not exist'],
    ['a directory', '.', 'is a directory'],
  ])('tells that the file is %s', async (_, name, seen) => {
    const { logIn } = methodOf(kubernetes(join(dir, name)));
    expect(await failureOf(logIn)).toMatchObject({
      code: 'AUTH_CREDENTIAL_UNREADABLE',
      seen: expect.stringContaining(seen),
    });
  });
});

describe('an answer to a login', () => {
  const answered = async (body: unknown) => {
    await writeFile(join(dir, 'jwt'), 'x');
    const { client, logIn } = methodOf(kubernetes(join(dir, 'jwt')));
    client.on('POST auth/kubernetes/login', () => answer(body));
    return logIn;
  };

  test.each([
    ['lease_duration 0 is a token without end', { lease_duration: 0 }, { ttlMs: 'forever' }],
    ['no lease_duration is one as well', { lease_duration: null }, { ttlMs: 'forever' }],
    ['num_uses limits the uses', { num_uses: 3 }, { usesLeft: 3 }],
    ['a batch token is not renewable', { renewable: false }, { renewable: false }],
    ['ten years are taken', { lease_duration: 315_360_000 }, { ttlMs: 315_360_000_000 }],
  ])('%s', async (_, more, expected) => {
    expect(await (await answered({ auth: { ...auth, ...more } }))()).toMatchObject(expected);
  });

  test.each([
    ['no auth', { data: {} }, 'no login'],
    ['a null auth', { auth: null }, 'no login'],
    ['no token', { auth: { ...auth, client_token: '' } }, 'no token'],
    ['a number for a token', { auth: { ...auth, client_token: 1 } }, 'no token'],
    ['a question for a second factor', { auth: { ...auth, mfa_requirement: { id: '1' } } }, 'second factor'],
  ])('with %s is unusable', async (_, body, seen) => {
    expect(await failureOf(await answered(body))).toMatchObject({
      code: 'AUTH_UNUSABLE',
      seen: expect.stringContaining(seen),
    });
  });

  test.each([
    [400, { errors: ['invalid role name "shop"'] }, 'AUTH_DENIED', 'invalid role name'],
    [403, { errors: ['permission denied'] }, 'AUTH_DENIED', 'permission denied'],
    [404, { errors: ['no handler for route'] }, 'AUTH_DENIED', 'no handler for route'],
    [429, { errors: [] }, 'BACKEND_THROTTLED', '429'],
    [503, { errors: ['Vault is sealed'] }, 'BACKEND_UNAVAILABLE', 'Vault is sealed'],
  ])('of status %d keeps the words of the client', async (status, body, code, phrase) => {
    await writeFile(join(dir, 'jwt'), 'x');
    const { client, logIn } = methodOf(kubernetes(join(dir, 'jwt')));
    client.on('POST auth/kubernetes/login', () => refuse(status, body));
    expect(await failureOf(logIn)).toMatchObject({ code, seen: expect.stringContaining(phrase) });
  });

  test('that never comes fails as the client fails', async () => {
    await writeFile(join(dir, 'jwt'), 'x');
    const { client, logIn } = methodOf(kubernetes(join(dir, 'jwt')));
    client.on('POST auth/kubernetes/login', unreachable);
    expect(await failureOf(logIn)).toMatchObject({ code: 'BACKEND_UNREACHABLE' });
  });
});

describe('the approle login', () => {
  const plain = { secretIdWrapped: false, removeSecretIdFile: false };
  const approle = { method: 'approle', mount: 'approle', ...plain, ...common } as const;

  test('takes ids from files and sends both', async () => {
    await writeFile(join(dir, 'role'), 'role-id\n');
    await writeFile(join(dir, 'secret'), 'secret-id\n');
    const { client, logIn } = methodOf({
      ...approle,
      roleIdFile: join(dir, 'role'),
      secretIdFile: join(dir, 'secret'),
    });
    client.on('POST auth/approle/login', () => answer({ auth }));
    await logIn();
    expect(bodyOf(client)).toEqual({ role_id: 'role-id', secret_id: 'secret-id' });
  });

  test('needs no secret id when the role binds none', async () => {
    const { client, logIn } = methodOf({ ...approle, roleId: 'role-id' });
    client.on('POST auth/approle/login', () => answer({ auth }));
    await logIn();
    expect(bodyOf(client)).toEqual({ role_id: 'role-id' });
  });

  test('names the key of the file that is missing', async () => {
    const { logIn } = methodOf({ ...approle, roleId: 'r', secretIdFile: join(dir, 'nowhere') });
    expect(await failureOf(logIn)).toMatchObject({ place: 'backends.bao.auth.secretIdFile' });
  });
});

describe('a token that another program made', () => {
  const token = { method: 'token', mount: 'token', token: Secret.text('static'), ...common } as const;

  test.each([
    ['a root token', { ttl: 0, expire_time: null, renewable: false }, { ttlMs: 'forever', renewable: false }],
    ['one that ends', { ttl: 90, expire_time: '2030', renewable: true }, { ttlMs: 90_000, renewable: true }],
    ['one with limited uses', { ttl: 90, num_uses: 4 }, { usesLeft: 4 }],
  ])('is looked up for its life: %s', async (_, data, expected) => {
    const { client, logIn } = methodOf(token);
    client.on('GET auth/token/lookup-self', () => answer({ data }));
    expect(await logIn()).toMatchObject(expected);
    expect(client.calls).toHaveLength(1);
  });

  test('is read from its file at each login', async () => {
    const { client, logIn } = methodOf({ ...token, token: undefined, tokenFile: join(dir, 'static') } as never);
    client.on('GET auth/token/lookup-self', () => answer({ data: { ttl: 0 } }));
    for (const text of ['one', 'two']) {
      await writeFile(join(dir, 'static'), `${text}\n`);
      expect((await logIn()).token.exposeText('backend')).toBe(text);
    }
  });

  test.each([
    ['revoked', () => refuse(403), 'AUTH_DENIED'],
    ['ending this second', () => answer({ data: { ttl: 0, expire_time: '2026' } }), 'AUTH_UNUSABLE'],
    ['told without data', () => answer({}), 'AUTH_UNUSABLE'],
  ])('is refused when it is %s', async (_, handler, code) => {
    const { client, logIn } = methodOf(token);
    client.on('GET auth/token/lookup-self', handler);
    expect(await failureOf(logIn)).toMatchObject({ code });
  });
});
