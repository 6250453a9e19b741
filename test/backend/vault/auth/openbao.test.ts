import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAuthorized } from '../../../../src/backend/vault/auth/authorized.ts';
import { createVaultMethod } from '../../../../src/backend/vault/auth/create-method.ts';
import { createSession } from '../../../../src/backend/vault/auth/session.ts';
import { createVaultClient } from '../../../../src/backend/vault/client/create-client.ts';
import type { AuthConfig, LoginConfig, VaultBackendConfig } from '../../../../src/backend/vault/config/config.ts';
import { systemClock } from '../../../../src/base/clock.ts';
import type { Fact } from '../../../../src/base/fact.ts';
import { Secret } from '../../../../src/base/secret.ts';
import { enableAppRole, enableUserpass, startWorld, type World, writePolicy } from '../../../servers/index.ts';
import { codeOf } from './session.helpers.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
  await world.putSecret('app', { a: 1 });
});
afterAll(() => world.stop());

const never = new AbortController().signal;

/** A session against the real server, by default with the login of the shop. */
function connect(auth: Partial<AuthConfig> = {}) {
  const facts: Fact[] = [];
  const emit = (fact: Fact) => void facts.push(fact);
  const shop = { method: 'kubernetes', mount: 'kubernetes', role: 'shop', tokenFile: world.tokenFile };
  const config: VaultBackendConfig = {
    kind: 'vault',
    name: 'bao',
    address: world.bao.address,
    tls: { skipVerify: false },
    timeoutMs: 10_000,
    auth: { ...shop, revokeOnExit: false, ...auth } as AuthConfig,
  };
  const client = createVaultClient({ config, clock: systemClock, emit, env: {} });
  const method = createVaultMethod(config as VaultBackendConfig & { auth: LoginConfig }, {
    client,
    clock: systemClock,
    emit,
    env: {},
    kept: new Map(),
  });
  const { revokeOnExit } = config.auth;
  const session = createSession({
    method,
    client,
    clock: systemClock,
    random: Math.random,
    emit,
    revokeOnExit,
    backend: 'bao',
  });
  const authorized = createAuthorized(client, session, systemClock);
  const read = (path: string) => authorized.call({ method: 'GET', path, place: 'secrets.a', idempotent: true }, never);
  return {
    session,
    read,
    facts,
    current: () => session.current(never),
    count: (call: string) => facts.filter((fact) => fact.kind === 'backend-answered' && fact.call === call).length,
    async [Symbol.asyncDispose]() {
      await session[Symbol.asyncDispose]();
      await client[Symbol.asyncDispose]();
    },
  };
}

const LOGIN = 'POST auth/kubernetes/login';
const RENEW = 'POST auth/token/renew-self';

/** Another role for the shop's service account. */
async function addRole(name: string, more: Record<string, unknown>): Promise<void> {
  await world.bao.api('PUT', `auth/kubernetes/role/${name}`, {
    bound_service_account_names: ['shop'],
    bound_service_account_namespaces: ['default'],
    token_policies: ['shop'],
    ...more,
  });
}

const revoke = async (token: Secret) =>
  void (await world.bao.api('POST', 'auth/token/revoke', { token: token.exposeText('backend') }));

describe('against OpenBao a session', () => {
  test('logs in with a service account and reads', async () => {
    await using shop = connect();
    expect((await shop.read('secret/data/shop/app')).loginId).toBe(1);
    expect(await shop.current()).toMatchObject({ ttlMs: 3_600_000, renewable: true, usesLeft: 'unlimited' });
  });

  test.each([
    ['an unknown role', { role: 'nobody' }, 'role'],
    ['an unknown mount', { mount: 'nowhere' }, 'HTTP 40'],
  ])('tells a login that is refused for %s', async (_, auth, phrase) => {
    await using shop = connect(auth as Partial<AuthConfig>);
    shop.session.start();
    await until(() => shop.session.trouble() !== undefined);
    expect(shop.session.trouble()).toMatchObject({ code: 'AUTH_DENIED', seen: expect.stringContaining(phrase) });
  });

  test('uses a token file that was rotated', async () => {
    const tokenFile = join(world.bao.dir, 'rotating');
    await writeFile(tokenFile, await world.review.mintToken({ serviceAccount: 'somebody-else' }));
    await using shop = connect({ tokenFile } as Partial<AuthConfig>);
    shop.session.start();
    await until(() => shop.session.trouble()?.code === 'AUTH_DENIED');
    await writeFile(tokenFile, await world.review.mintToken({ serviceAccount: 'shop' }));
    expect((await shop.current()).id).toBe(1);
  });

  test('tells a revoked login from a denied path', async () => {
    await using shop = connect();
    expect(await codeOf(shop.read('secret/data/other/app'))).toBe('SECRET_DENIED');
    expect(shop.count(LOGIN)).toBe(1);
    await revoke((await shop.current()).token);
    await sleep(5100);
    expect((await shop.read('secret/data/shop/app')).loginId).toBe(2);
    expect(shop.count(LOGIN)).toBe(2);
  });

  test('renews a login of two seconds until max_ttl, and replaces it before its end', async () => {
    await addRole('brief', { token_ttl: '2s', token_max_ttl: '5s' });
    await using shop = connect({ role: 'brief' } as Partial<AuthConfig>);
    const reads: Promise<unknown>[] = [];
    const begunMs = performance.now();
    for (let turn = 0; turn < 80; turn++) {
      reads.push(shop.read('secret/data/shop/app'));
      await sleep(100);
    }
    await Promise.all(reads);
    expect(shop.count(LOGIN)).toBeGreaterThanOrEqual(2);
    // A busy machine takes longer for this than eight seconds.
    const seconds = (performance.now() - begunMs) / 1000;
    expect(shop.count(LOGIN)).toBeLessThanOrEqual(1 + seconds / 3);
    expect(shop.count(RENEW)).toBeLessThan(1.5 * seconds);
    expect(shop.facts.some((fact) => fact.kind === 'login-replaced' && fact.reason === 'dead')).toBe(false);
  });

  test('whose JWT is checked again at renewals is refused one renewal, and from then on logs in again in time', async () => {
    await addRole('checked', { token_ttl: '6s', token_max_ttl: '1h' });
    const tokenFile = join(world.bao.dir, 'short');
    const kubelet = async () =>
      writeFile(tokenFile, await world.review.mintToken({ serviceAccount: 'shop', ttlSeconds: 3 }));
    await kubelet();
    const writing = setInterval(() => void kubelet(), 1000);
    await using shop = connect({ role: 'checked', tokenFile } as Partial<AuthConfig>);
    await shop.current();
    await sleep(14_000);
    clearInterval(writing);
    const failed = shop.facts.filter((fact) => fact.kind === 'login-renew-failed');
    expect(failed).toMatchObject([{ failure: { code: 'AUTH_EXPIRED' }, retryInMs: 0 }]);
    expect([shop.count(RENEW), shop.count(LOGIN)]).toEqual([1, 4]);
    const replaced = shop.facts.filter((fact) => fact.kind === 'login-replaced');
    expect(replaced.map(({ reason }) => reason)).toEqual(['ending', 'ending', 'ending']);
  });

  test('whose user was deleted learns it at a renewal, and does not renew again', async () => {
    await enableUserpass(world.bao, { role: 'leaver', policies: ['shop'], password: 'made-up', tokenTtl: '3s' });
    const passwordFile = join(world.bao.dir, 'password');
    await writeFile(passwordFile, 'made-up');
    const auth = { method: 'userpass', mount: 'userpass', username: 'leaver', passwordFile };
    await using leaver = connect(auth as Partial<AuthConfig>);
    await leaver.current();
    await world.bao.api('DELETE', 'auth/userpass/users/leaver');
    await sleep(2500);
    const failed = leaver.facts.filter((fact) => fact.kind === 'login-renew-failed');
    expect(failed).toMatchObject([
      {
        failure: { code: 'AUTH_DENIED', seen: expect.stringContaining('user or role does not exist any more') },
        retryInMs: 0,
      },
    ]);
    expect(leaver.count(RENEW)).toBe(1);
  });

  test('whose renewals the policy denies makes a handful of calls', async () => {
    await writePolicy(world.bao, 'norenew', 'path "auth/token/renew-self" { capabilities = ["deny"] }');
    await addRole('norenew', { token_ttl: '3s', token_policies: ['shop', 'norenew'] });
    await using shop = connect({ role: 'norenew' } as Partial<AuthConfig>);
    await shop.current();
    await sleep(5000);
    expect(shop.count(RENEW)).toBeLessThanOrEqual(3);
    expect(shop.count(LOGIN)).toBeLessThanOrEqual(4);
    expect((await shop.read('secret/data/shop/app')).loginId).toBeGreaterThan(1);
  });

  test('whose policy denies lookup-self does not log in for each denied path', async () => {
    await addRole('bare', { token_no_default_policy: true });
    await using shop = connect({ role: 'bare' } as Partial<AuthConfig>);
    for (let turn = 0; turn < 10; turn++) {
      expect(await codeOf(shop.read('secret/data/other/app'))).toBe('SECRET_DENIED');
    }
    expect(shop.count(LOGIN)).toBe(2);
  });

  test('replaces logins with limited uses as they are used up', async () => {
    await addRole('few', { token_num_uses: 5 });
    await using shop = connect({ role: 'few' } as Partial<AuthConfig>);
    const answers = await Promise.all(Array.from({ length: 12 }, () => shop.read('secret/data/shop/app')));
    expect(answers).toHaveLength(12);
    expect(shop.count(LOGIN)).toBe(3);
  });

  test('revokes its login with revokeOnExit', async () => {
    const shop = connect({ revokeOnExit: true });
    const { token } = await shop.current();
    await shop[Symbol.asyncDispose]();
    const lookUp = world.bao.api('GET', 'auth/token/lookup-self', undefined, token.exposeText('backend'));
    await expect(lookUp).rejects.toMatchObject({ status: 403 });
    expect(shop.facts.at(-1)).toEqual({ kind: 'login-revoked', backend: 'bao' });
  });

  test('refused where no auth method is mounted, says that this may be so', async () => {
    const file = join(world.bao.dir, 'password');
    await writeFile(file, 'x');
    const mount = 'nope';
    const refused = [
      { method: 'approle', mount, roleId: 'x', secretIdWrapped: false, removeSecretIdFile: false },
      { method: 'userpass', mount, username: 'x', passwordFile: file },
    ] as const;
    for (const auth of refused) {
      await using bao = connect(auth as never);
      await bao.session.settled(never);
      expect(bao.session.trouble()).toMatchObject({
        code: 'AUTH_DENIED',
        seen: expect.stringContaining('(permission denied)'),
        hint: 'The server answers so when no auth method is mounted at auth/nope/: check mount and namespace.',
      });
    }
    await using bao = connect({ mount });
    await bao.session.settled(never);
    expect(bao.session.trouble()?.hint).toMatch(
      /^Check mount, role, .*\. The server answers so too when no auth method is mounted at auth\/nope\/\.$/,
    );
  });

  test('logs in by AppRole', async () => {
    const { roleId, newSecretId } = await enableAppRole(world.bao, { role: 'shop', policies: ['shop'] });
    const secretIdFile = join(world.bao.dir, 'secret-id');
    await writeFile(secretIdFile, 'wrong');
    await using shop = connect({ method: 'approle', mount: 'approle', roleId, secretIdFile } as Partial<AuthConfig>);
    shop.session.start();
    await until(() => shop.session.trouble() !== undefined);
    expect(shop.session.trouble()).toMatchObject({ code: 'AUTH_DENIED', seen: expect.stringContaining('secret ID') });
    await writeFile(secretIdFile, `${await newSecretId()}\n`);
    expect((await shop.read('secret/data/shop/app')).loginId).toBe(1);
  });

  test('uses a token, and the root token for ever', async () => {
    await using root = connect({ method: 'token', mount: 'token', token: Secret.text(world.bao.rootToken) } as never);
    expect(await root.current()).toMatchObject({ ttlMs: 'forever', renewable: false });
    const { auth } = await world.bao.api('POST', 'auth/token/create', { ttl: '90s', num_uses: 7 });
    await using limited = connect({ method: 'token', mount: 'token', token: Secret.text(auth.client_token) } as never);
    expect(await limited.current()).toMatchObject({ renewable: true, usesLeft: 6 });
  });
});

async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 500 && !holds(); turn++) await sleep(10);
}
