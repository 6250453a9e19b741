import { X509Certificate } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EndingLife, Fetched, LeaseLife } from '../../../../src/backend/backend.ts';
import type { AuthConfig } from '../../../../src/backend/vault/config/config.ts';
import { openVaultBackend } from '../../../../src/backend/vault/open.ts';
import { systemClock } from '../../../../src/base/clock.ts';
import type { Fact } from '../../../../src/base/fact.ts';
import { Secret } from '../../../../src/base/secret.ts';
import type { SecretRequest } from '../../../../src/config/config.ts';
import {
  addStaticRole,
  createAuthority,
  enablePki,
  startWorld,
  type World,
  writePolicy,
} from '../../../servers/index.ts';
import { config, failureOf, held, never, plain, wantOf } from './vault.helpers.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld({ database: true, databaseTtl: '30s', databaseMaxTtl: '60s' });
  await addStaticRole(world.bao, world.postgres, { role: 'steady', rotationPeriod: '60s' });
  await world.putSecret('app', { user: 'u', big: 9007199254740993n.toString(), deep: { list: [1, true, null] } });
  await world.bao.api('POST', 'kv1/app', { a: 'one', ttl: '5s' });
});
afterAll(() => world.stop());

/** The whole backend, from configuration to wire. */
function connect(auth: Partial<AuthConfig> = {}) {
  const facts: Fact[] = [];
  const shop = { ...config.auth, tokenFile: world.tokenFile, ...auth } as AuthConfig;
  const backend = openVaultBackend(
    { ...config, address: world.bao.address, auth: shop },
    {
      clock: systemClock,
      random: Math.random,
      emit: (fact) => void facts.push(fact),
      env: {},
      version: '0.0.0',
      kept: new Map(),
    },
  );
  const { source } = backend;
  return {
    backend,
    fetch: (request: SecretRequest, last?: Fetched) => source.fetch(wantOf(request), last, never),
    kv: (path: string, more: object = {}, last?: Fetched) =>
      source.fetch(wantOf({ kind: 'vault-kv', path, ...more }), last, never),
    renew: (life: LeaseLife) =>
      source.renew?.(wantOf({ kind: 'vault-read', path: 'x' }), life, never) as Promise<LeaseLife>,
    calls: () => facts.flatMap((fact) => (fact.kind === 'backend-answered' ? [fact.call] : [])),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
}

describe('KV of a real OpenBao', () => {
  test('is read in both versions with one question per mount', async () => {
    await using bao = connect();
    const [app, again, old] = await Promise.all([
      bao.kv('secret/shop/app'),
      bao.kv('secret/data/shop/app'),
      bao.kv('kv1/app'),
    ]);
    expect(plain(held(app).fields)).toEqual({
      user: 'u',
      big: '9007199254740993',
      deep: { list: ['1', 'true', 'null'] },
    });
    expect(held(again).version).toBe(held(app).version);
    expect(held(old)).toMatchObject({ life: { kind: 'none' } });
    expect(plain(held(old).fields)).toEqual({ a: 'one', ttl: '5s' });
    expect(bao.calls().filter((call) => call.includes('internal/ui/mounts'))).toHaveLength(2);
    expect(bao.calls()).toHaveLength(6);
  });

  test('is unchanged until it is written, and after a metadata delete version 1 is another one', async () => {
    await using bao = connect();
    await world.putSecret('turn', { a: 1 });
    const first = held(await bao.kv('secret/shop/turn'));
    expect((await bao.kv('secret/shop/turn', {}, first)).state).toBe('unchanged');
    await world.bao.api('DELETE', 'secret/metadata/shop/turn');
    await world.putSecret('turn', { a: 1 });
    const second = held(await bao.kv('secret/shop/turn', {}, first));
    expect(second.version).toMatch(/^1 /);
    expect(second.version).not.toBe(first.version);
  });

  test('tells deleted, destroyed, missing and denied apart, and reads an older version', async () => {
    await using bao = connect();
    await world.putSecret('gone', { a: 1 });
    await world.putSecret('gone', { a: 2 });
    expect(plain(held(await bao.kv('secret/shop/gone', { version: 1 })).fields)).toEqual({ a: '1' });
    await world.bao.api('DELETE', 'secret/data/shop/gone');
    expect(await failureOf(bao.kv('secret/shop/gone'))).toMatchObject({ code: 'SECRET_DELETED' });
    await world.bao.api('PUT', 'secret/destroy/shop/gone', { versions: [2] });
    expect(await failureOf(bao.kv('secret/shop/gone'))).toMatchObject({ code: 'SECRET_DESTROYED' });
    expect(await failureOf(bao.kv('secret/shop/never'))).toMatchObject({
      code: 'SECRET_NOT_FOUND',
      hint: expect.stringContaining('The KV mount exists'),
    });
    expect(await failureOf(bao.kv('secret/other'))).toMatchObject({ code: 'SECRET_DENIED' });
    expect(await failureOf(bao.kv('nowhere/x'))).toMatchObject({ code: 'SECRET_DENIED' });
    expect(await failureOf(bao.kv('database/creds/shop'))).toMatchObject({ code: 'SECRET_NOT_KV' });
  });

  test('that becomes version 2 under a running agent is found by the next read', async () => {
    const root = { method: 'token', mount: 'token', token: Secret.text(world.bao.rootToken) } as never;
    await using bao = connect(root);
    await world.bao.api('POST', 'sys/mounts/grown', { type: 'kv', options: { version: '1' } });
    await world.bao.api('POST', 'grown/app', { a: 'one' });
    await world.bao.api('POST', 'grown/folder/x', { a: 'one' });
    const before = held(await bao.kv('grown/app'));
    const other = connect(root);
    await other.fetch({ kind: 'vault-list', path: 'grown/folder' });
    await world.bao.api('POST', 'sys/mounts/grown/tune', { options: { version: '2' } });
    const startedMs = Date.now();
    let after = await bao.kv('grown/app', {}, before).catch(() => undefined);
    while (after === undefined && Date.now() - startedMs < 30_000) {
      await sleep(200); // the server is busy with the upgrade for a moment
      after = await bao.kv('grown/app', {}, before).catch(() => undefined);
    }
    expect(after && plain(held(after).fields)).toEqual({ a: 'one' });
    expect(await failureOf(bao.kv('grown/never'))).toMatchObject({ code: 'SECRET_NOT_FOUND' });
    expect(bao.calls().filter((call) => call.includes('internal/ui/mounts'))).toHaveLength(2);
    // The list of names was not empty in between.
    expect(plain(held(await other.fetch({ kind: 'vault-list', path: 'grown/folder' })).fields)).toEqual({
      keys: ['x'],
    });
    await other[Symbol.asyncDispose]();
  });

  test('whose upgrade the policy does not know is denied, and not called missing', async () => {
    await writePolicy(world.bao, 'plain', 'path "aged/app" { capabilities = ["read"] }');
    await world.bao.api('POST', 'sys/mounts/aged', { type: 'kv', options: { version: '1' } });
    await world.bao.api('POST', 'aged/app', { a: 'one' });
    const { auth } = (await world.bao.api('POST', 'auth/token/create', { policies: ['plain'] })) as {
      auth: { client_token: string };
    };
    await using bao = connect({ method: 'token', mount: 'token', token: Secret.text(auth.client_token) } as never);
    await bao.kv('aged/app');
    await world.bao.api('POST', 'sys/mounts/aged/tune', { options: { version: '2' } });
    await sleep(2_000);
    expect(await failureOf(bao.kv('aged/app'))).toMatchObject({ code: 'SECRET_DENIED' });
  });

  test('is found without the question when the policy denies it', async () => {
    const deny = 'path "sys/internal/ui/mounts/*" { capabilities = ["deny"] }';
    await writePolicy(world.bao, 'mute', deny);
    await world.bao.api('PUT', 'auth/kubernetes/role/mute', {
      bound_service_account_names: ['shop'],
      bound_service_account_namespaces: ['default'],
      token_policies: ['shop', 'mute'],
    });
    await using bao = connect({ role: 'mute' } as Partial<AuthConfig>);
    expect(plain(held(await bao.kv('secret/shop/app')).fields)).toMatchObject({ user: 'u' });
    expect(plain(held(await bao.kv('kv1/app')).fields)).toMatchObject({ a: 'one' });
    expect(await failureOf(bao.kv('secret/shop/never'))).toMatchObject({ code: 'SECRET_NOT_FOUND' });
    expect(bao.calls().filter((call) => call.includes('auth/kubernetes/login'))).toHaveLength(1);
  });
});

describe('a leased secret', () => {
  test('has the life that OpenBao promises, is renewed, and capped near its max_ttl', async () => {
    await using bao = connect();
    const { fields, life } = held(await bao.fetch({ kind: 'vault-read', path: 'database/creds/shop' }));
    expect([...fields.keys()].sort()).toEqual(['password', 'username']);
    expect(life).toMatchObject({ kind: 'lease', ttlMs: 30_000, renewable: true, loginId: 1 });
    await sleep(1500);
    const renewed = await bao.renew(life as LeaseLife);
    expect(renewed).toMatchObject({ ttlMs: 30_000, loginId: 1, renewable: true });
    expect(renewed.startedMonoMs).toBeGreaterThan((life as LeaseLife).startedMonoMs + 1400);
    expect(bao.backend.loginEndsMonoMs?.(1)).toBeGreaterThan(systemClock.monoMs() + 3_500_000);
  });

  test('whose lease is gone cannot be renewed', async () => {
    await using bao = connect();
    const { life } = held(await bao.fetch({ kind: 'vault-read', path: 'database/creds/shop' }));
    const { leaseId } = life as LeaseLife;
    await world.bao.api('PUT', 'sys/leases/revoke', { lease_id: leaseId.exposeText('backend'), sync: true });
    expect(await failureOf(bao.renew(life as LeaseLife))).toMatchObject({ code: 'BACKEND_REJECTED' });
  });

  test('of a static role rotates', async () => {
    await using bao = connect();
    const request = { kind: 'vault-read', path: 'database/static-creds/steady' } as const;
    const first = held(await bao.fetch(request));
    expect(first.life.kind).toBe('rotates');
    expect(first.life).toMatchObject({ inMs: expect.any(Number) });
    await sleep(1100);
    expect((await bao.fetch(request, first)).state).toBe('unchanged');
  });

  test('that is written: a token of a child', async () => {
    await using bao = connect({ method: 'token', mount: 'token', token: Secret.text(world.bao.rootToken) } as never);
    const data = { ttl: '90s', policies: ['shop'] };
    const child = held(await bao.fetch({ kind: 'vault-write', path: 'auth/token/create', data }));
    expect([...child.fields.keys()]).toContain('client_token');
    expect(child.life).toMatchObject({ kind: 'lease', ttlMs: 90_000, renewable: false });
  });
});

describe('an end that an answer of a real OpenBao states', () => {
  const root = { method: 'token', mount: 'token' } as const;

  test('is the life of an identity token', async () => {
    await world.bao.api('POST', 'identity/oidc/key/named', { allowed_client_ids: '*' });
    await world.bao.api('POST', 'identity/oidc/role/shop', { key: 'named', ttl: '90s' });
    await writePolicy(world.bao, 'oidc', 'path "identity/oidc/token/shop" { capabilities = ["read"] }');
    await world.bao.api('PUT', 'auth/kubernetes/role/oidc', {
      bound_service_account_names: ['shop'],
      bound_service_account_namespaces: ['default'],
      token_policies: ['oidc'],
    });
    await using bao = connect({ role: 'oidc' } as Partial<AuthConfig>);
    const { life, fields } = held(await bao.fetch({ kind: 'vault-read', path: 'identity/oidc/token/shop' }));
    expect([...fields.keys()].sort()).toEqual(['client_id', 'token', 'ttl']);
    const { startMs, endMs, ...kind } = life as EndingLife;
    expect([endMs - startMs, kind]).toEqual([90_000, { kind: 'ends', clock: 'mono', mints: true }]);
  });

  test('is the life of a certificate that a write issues', async () => {
    await using bao = connect({ ...root, token: Secret.text(world.bao.rootToken) } as never);
    const data = { common_name: 'shop.svc', ttl: '1h' };
    const { life } = held(await bao.fetch({ kind: 'vault-write', path: 'pki/issue/shop', data }));
    expect(life).toMatchObject({ kind: 'ends', clock: 'wall', mints: true });
    expect((life as EndingLife).endMs - Date.now()).toBeGreaterThan(3_500_000);
    expect((life as EndingLife).endMs - Date.now()).toBeLessThanOrEqual(3_601_000);
  });

  test('is the one that the configuration names', async () => {
    await using bao = connect({ ...root, token: Secret.text(world.bao.rootToken) } as never);
    const endsAt = new Date(Date.now() + 7_200_000).toISOString();
    await world.bao.api('POST', 'cubbyhole/ending', { pass: 'x', good_until: endsAt });
    const end = { field: 'good_until' };
    const { life } = held(await bao.fetch({ kind: 'vault-read', path: 'cubbyhole/ending', end }));
    expect(life).toMatchObject({ kind: 'ends', clock: 'wall', endMs: Date.parse(endsAt) });
  });
});

describe('a certificate', () => {
  const request = {
    kind: 'vault-certificate',
    issuer: 'pki',
    role: 'shop',
    commonName: 'shop.svc',
    altNames: ['api.shop.svc'],
    ipSans: ['127.0.0.1'],
    uriSans: [],
    ttl: '1h',
  } as const;

  test('comes with its key, its chain and the life that it states', async () => {
    await using bao = connect();
    const { fields, life, version } = held(await bao.fetch(request));
    const all = plain(fields) as Record<string, string>;
    expect([...fields.keys()]).toEqual([
      'certificate',
      'privateKey',
      'privateKeyType',
      'issuingCa',
      'caChain',
      'serialNumber',
      'expiration',
    ]);
    const x509 = new X509Certificate(all['certificate'] ?? '');
    const names = ['DNS:api.shop.svc', 'DNS:shop.svc', 'IP Address:127.0.0.1'];
    expect(x509.subjectAltName?.split(', ').sort()).toEqual(names);
    expect(x509.checkIssued(new X509Certificate(all['issuingCa'] ?? ''))).toBe(true);
    expect(all['caChain']).toEqual([all['issuingCa']]);
    expect(all['serialNumber']).toBe(version);
    expect(all['expiration']).toBe(String(x509.validToDate.getTime() / 1000));
    expect(life).toEqual({
      kind: 'certificate',
      notBeforeMs: x509.validFromDate.getTime(),
      notAfterMs: x509.validToDate.getTime(),
    });
  });

  test('is another one each time', async () => {
    await using bao = connect();
    const first = held(await bao.fetch(request));
    expect(held(await bao.fetch(request, first)).version).not.toBe(first.version);
  });

  test('that the role does not allow is refused for ever', async () => {
    await using bao = connect();
    const failed = await failureOf(bao.fetch({ ...request, commonName: 'else.example' }));
    expect(failed).toMatchObject({ code: 'BACKEND_REJECTED' });
  });
});

describe('a trust bundle', () => {
  const bundle = (issuer: string) => ({ kind: 'vault-trust-bundle', issuer, overlapMs: 3_600_000 }) as const;
  const namesOf = ({ fields }: Fetched) =>
    (plain(fields) as { caChain: string[] }).caChain.map((pem) => new X509Certificate(pem).subject).sort();
  const addRoot = (name: string) =>
    world.bao.api('POST', 'rotating/root/rotate/internal', {
      common_name: name,
      issuer_name: name,
      key_type: 'ec',
      key_bits: 256,
    });

  test('follows the authorities of a mount, and a login needs no policy for it', async () => {
    await using bao = connect();
    await enablePki(world.bao, { mount: 'rotating', role: 'shop', allowedDomains: ['shop.svc'] });
    const first = held(await bao.fetch(bundle('rotating')));
    expect(namesOf(first)).toEqual(['CN=Pannier test root']);
    await addRoot('second');
    const second = held(await bao.fetch(bundle('rotating'), first));
    expect(namesOf(second)).toEqual(['CN=Pannier test root', 'CN=second']);
    expect((await bao.fetch(bundle('rotating'), second)).state).toBe('unchanged');

    await addRoot('third');
    const third = held(await bao.fetch(bundle('rotating'), second));
    await world.bao.api('POST', 'rotating/issuer/third/revoke', {});
    const revoked = held(await bao.fetch(bundle('rotating'), third));
    expect(namesOf(revoked)).toEqual(['CN=Pannier test root', 'CN=second']);
    const imported = createAuthority('Imported').certificatePem;
    await world.bao.api('POST', 'rotating/issuers/import/cert', { pem_bundle: imported });
    const four = held(await bao.fetch(bundle('rotating'), revoked));
    expect(namesOf(four)).toEqual(['CN=Imported', ...namesOf(second)]);
    await world.bao.api('DELETE', 'rotating/issuer/second');
    const deleted = held(await bao.fetch(bundle('rotating'), four));
    expect(namesOf(deleted)).toEqual(namesOf(four));
    expect(Object.keys((plain(deleted.fields) as { leaving: object }).leaving)).toHaveLength(1);
  });

  test('of a mount that is no PKI is refused', async () => {
    await using bao = connect();
    expect(await failureOf(bao.fetch(bundle('secret')))).toMatchObject({ code: 'SECRET_DENIED' });
  });
});
