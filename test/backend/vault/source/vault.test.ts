import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Fetched, LeaseLife, Life } from '../../../../src/backend/backend.ts';
import { createVaultBackend } from '../../../../src/backend/vault/backend.ts';
import type { EndField } from '../../../../src/backend/vault/config/request.ts';
import { Secret } from '../../../../src/base/secret.ts';
import { createAuthority } from '../../../servers/index.ts';
import { answer, refuse } from '../auth/fake-vault.ts';
import { config, failureOf, held, never, plain, sourceWorld, wantOf } from './vault.helpers.ts';

const LEASE = { lease_id: 'database/creds/shop/abc', lease_duration: 60, renewable: true };
const lease = (more: Partial<LeaseLife> = {}): LeaseLife => ({
  kind: 'lease',
  leaseId: Secret.text('database/creds/shop/abc'),
  ttlMs: 60_000,
  renewable: true,
  startedMonoMs: 0,
  loginId: 7,
  ...more,
});

describe('the life of a read', () => {
  const none: Life = { kind: 'none' };
  const rotates: Life = { kind: 'rotates', inMs: 30_000, startedMonoMs: 5000 };
  test.each<[string, string, object, Life]>([
    ['a renewable lease', 'database/creds/shop', LEASE, lease({ startedMonoMs: 5000 })],
    [
      'one that cannot be renewed',
      'aws/creds/x',
      { ...LEASE, renewable: false },
      lease({ startedMonoMs: 5000, renewable: false }),
    ],
    ['a lease without end', 'database/creds/shop', { ...LEASE, lease_duration: 0 }, none],
    ['a duration without a lease', 'cubbyhole/x', { ...LEASE, lease_id: '' }, none],
    ['a static role', 'database/static-creds/shop', { data: { ttl: 30, rotation_period: 60 } }, rotates],
    ['one with a schedule', 'ldap/static-cred/shop', { data: { ttl: 30, rotation_schedule: '0 * * * *' } }, rotates],
    ['fields that are called so elsewhere', 'cubbyhole/x', { data: { ttl: 30, rotation_period: 60 } }, none],
    ['a static role that tells no ttl', 'database/static-creds/x', { data: { rotation_period: 60 } }, none],
  ])('of %s', async (_, path, body, life) => {
    const { fetch, server, clock } = sourceWorld();
    await clock.advance(5000);
    server.on(`GET ${path}`, async () => {
      await clock.advance(2000);
      return answer({ data: { a: 1 }, ...body });
    });
    expect(held(await fetch({ kind: 'vault-read', path })).life).toEqual(life);
    expect(server.calls[0]).toMatchObject({ idempotent: false });
  });
});

describe('a read', () => {
  const read = { kind: 'vault-read', path: 'p' } as const;

  test('with another lease is never unchanged, without one it is while its fields are equal', async () => {
    const { fetch, server } = sourceWorld();
    server.on('GET p', () => answer({ data: { a: 1 }, ...LEASE }));
    const leased = held(await fetch(read));
    server.on('GET p', () => answer({ data: { a: 1 }, ...LEASE, lease_id: 'database/creds/shop/def' }));
    expect((await fetch(read, leased)).state).toBe('changed');
    server.on('GET p', () => answer({ data: { a: 1 }, warnings: ['ignored'] }));
    expect((await fetch(read, leased)).state).toBe('unchanged');
  });

  test.each([
    ['a lease', { data: { a: 1 }, ...LEASE }],
    ['a token', { auth: { client_token: 't', lease_duration: 60 } }],
  ])('that brings the same lease again is no change, and the life that is known stays: %s', async (_, body) => {
    const { fetch, server, clock } = sourceWorld();
    server.on('GET p', () => answer(body));
    const first = held(await fetch(read));
    await clock.advance(10_000);
    const known = { ...first, life: { ...first.life, renewable: false } as Life };
    expect(await fetch(read, known)).toEqual({ state: 'unchanged', life: known.life });
  });

  test.each([
    ['10', -5000],
    ['0', 5000],
    ['0, 0', 5000],
    ['-10', 5000],
    ['soon', 5000],
  ])('that a cache answered with Age %s began to live that much before', async (age, startedMonoMs) => {
    const { fetch, server, clock } = sourceWorld();
    await clock.advance(5000);
    server.on('GET p', () => answer({ data: { a: 1 }, ...LEASE }, 200, { age }));
    expect(held(await fetch(read)).life).toEqual(lease({ startedMonoMs }));
  });

  test('of a static role is unchanged while only its ttl counts down', async () => {
    const { fetch, server } = sourceWorld();
    const role = { kind: 'vault-read', path: 'database/static-creds/x' } as const;
    const answerWith = (password: string, ttl: number) =>
      server.on('GET database/static-creds/x', () => answer({ data: { password, ttl, rotation_period: 60 } }));
    answerWith('one', 30);
    const first = held(await fetch(role));
    answerWith('one', 20);
    expect(await fetch(role, first)).toMatchObject({ state: 'unchanged', life: { inMs: 20_000 } });
    answerWith('two', 60);
    expect((await fetch(role, first)).state).toBe('changed');
  });

  test('of a static role counts the reads since a rotation was due and the password stayed', async () => {
    const { fetch, server, clock } = sourceWorld();
    const role = { kind: 'vault-read', path: 'database/static-creds/x' } as const;
    const read = async (password: string, ttl: number, rotated: string, last?: Fetched) => {
      const data = { password, ttl, rotation_period: 60, last_vault_rotation: rotated };
      server.on('GET database/static-creds/x', () => answer({ data }));
      const fetched = await fetch(role, last);
      const life = fetched.state === 'changed' ? fetched.value.life : fetched.life;
      return fetched.state === 'changed' ? fetched.value : { ...(last as Fetched), life };
    };
    const first = await read('one', 30, '0');
    await clock.advance(10_000);
    const early = await read('one', 20, '0', first);
    expect(early.life).toEqual({ kind: 'rotates', inMs: 20_000, startedMonoMs: 10_000 });
    await clock.advance(21_000);
    const overdue = await read('one', -1, '0', early);
    expect(overdue.life).toMatchObject({ inMs: 0, looksInVain: 1 });
    const anew = await read('one', 60, '1', overdue);
    expect(anew.life).toMatchObject({ inMs: 60_000, looksInVain: 2 });
    const rotated = await read('two', 60, '1', anew);
    expect(rotated.life).toEqual({ kind: 'rotates', inMs: 60_000, startedMonoMs: 31_000 });
  });

  test('of a static role whose ttl starts again too early does not wait for it with the old password', async () => {
    const { fetch, server, clock } = sourceWorld();
    const role = { kind: 'vault-read', path: 'database/static-creds/x' } as const;
    server.on('GET database/static-creds/x', () => answer({ data: { password: 'one', ttl: 30, rotation_period: 60 } }));
    const first = held(await fetch(role));
    await clock.advance(10_000);
    server.on('GET database/static-creds/x', () => answer({ data: { password: 'one', ttl: 60, rotation_period: 60 } }));
    expect(await fetch(role, first)).toMatchObject({ state: 'unchanged', life: { looksInVain: 1 } });
  });

  test.each([
    ['nothing', {}, 'SECRET_EMPTY'],
    ['null', { data: null }, 'SECRET_EMPTY'],
    ['no fields', { data: {} }, 'SECRET_EMPTY'],
    ['a list', { data: [1] }, 'BACKEND_MALFORMED'],
    ['text', { data: 'x' }, 'BACKEND_MALFORMED'],
  ])('answered with %s is refused', async (_, body, code) => {
    const { fetch, server } = sourceWorld();
    server.on('GET p', () => answer(body));
    expect(await failureOf(fetch(read))).toMatchObject({ code });
  });

  test('has a version that no other answer has and that shows nothing of the value', async () => {
    const { fetch, server } = sourceWorld();
    server.on('GET p', () => answer({ data: { a: 'value' }, ...LEASE }));
    const versions = [held(await fetch(read)).version, held(await fetch(read)).version];
    expect(new Set(versions).size).toBe(2);
    expect(versions.join()).not.toMatch(/value|abc/);
  });
});

describe('an end that an answer states', () => {
  const START_MS = Date.UTC(2026, 0, 1);
  const seconds = START_MS / 1000;
  const jwt = (payload: object) =>
    [{ alg: 'RS256' }, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.') +
    '.c2ln';
  const wall = (ms: number, mints = false) => ({
    kind: 'ends',
    clock: 'wall',
    startMs: START_MS,
    endMs: START_MS + ms,
    mints,
  });
  const mono = (ms: number, mints = true) => ({ kind: 'ends', clock: 'mono', startMs: 0, endMs: ms, mints });
  const none = { kind: 'none' };
  const token = jwt({ exp: seconds + 600 });

  test.each<[string, string, object, object]>([
    ['an identity token', 'identity/oidc/token/shop', { data: { token, ttl: 300 } }, mono(300_000)],
    ['a JWT', 'plugin/token', { data: { any: token } }, wall(600_000)],
    ['a JWT without exp', 'plugin/token', { data: { any: jwt({ iat: 1 }) } }, none],
    ['text with two dots', 'plugin/token', { data: { any: 'eyAB.eyCD.ef' } }, none],
    ['an expiration', 'plugin/cert', { data: { expiration: seconds + 60 } }, wall(60_000)],
    ['the earlier of two', 'plugin/cert', { data: { expiration: seconds + 60, any: token } }, wall(60_000)],
    ['an expiration of 0', 'plugin/cert', { data: { expiration: 0 } }, none],
    ['an expiration in milliseconds', 'plugin/cert', { data: { expiration: START_MS } }, none],
    ['a ttl that is a setting', 'pki/roles/shop', { data: { ttl: 300, expiration: 'never' } }, none],
    ['KV version 1', 'kv1/app', { lease_duration: 2764800, data: { expiration: seconds + 60, any: token } }, none],
  ])('of %s', async (_, path, body, life) => {
    const { fetch, server } = sourceWorld();
    server.on(`GET ${path}`, () => answer({ lease_id: '', lease_duration: 0, ...body }));
    expect(held(await fetch({ kind: 'vault-read', path })).life).toEqual(life);
  });

  test.each<[string, object, EndField, object]>([
    ['Unix seconds', { until: seconds + 60 }, { field: 'until' }, wall(60_000, true)],
    ['Unix seconds as text', { until: String(seconds + 60) }, { field: 'until' }, wall(60_000, true)],
    ['RFC 3339', { until: '2026-01-01T01:00:00+00:00' }, { field: 'until' }, wall(3_600_000, true)],
    ['milliseconds', { until: START_MS + 5 }, { field: 'until', unit: 'unix-milliseconds' }, wall(5, true)],
    ['a duration', { expires_in: 3600 }, { field: 'expires_in', unit: 'seconds' }, mono(3_600_000)],
    ['a short one', { expires_in: 3600 }, { field: 'expires_in', unit: 'milliseconds' }, mono(3_600)],
    ['zero, which is never', { until: 0 }, { field: 'until' }, none],
    ['null, which is never', { until: null }, { field: 'until' }, none],
    ['the year 1, which is never', { until: '0001-01-01T00:00:00Z' }, { field: 'until' }, none],
  ])('is named by the configuration: %s', async (_, data, end, life) => {
    const { fetch, server } = sourceWorld();
    server.on('GET p', () => answer({ data: { ...data, expiration: seconds + 1 } }));
    expect(held(await fetch({ kind: 'vault-read', path: 'p', end })).life).toEqual(life);
  });

  test.each<[string, object, EndField, string]>([
    ['is missing', { a: 1 }, { field: 'until' }, 'until'],
    ['is text', { until: 'soon' }, { field: 'until' }, 'RFC 3339'],
    ['is a map', { until: { a: 1 } }, { field: 'until' }, 'RFC 3339'],
    ['holds milliseconds', { until: START_MS }, { field: 'until' }, 'Unix seconds'],
    ['is text with a unit', { until: '2026-01-01T01:00:00Z' }, { field: 'until', unit: 'seconds' }, 'no number'],
  ])('that the configuration names and that %s is a failure without the value', async (_, data, end, seen) => {
    const { fetch, server } = sourceWorld();
    server.on('GET p', () => answer({ data }));
    const failed = await failureOf(fetch({ kind: 'vault-read', path: 'p', end }));
    expect(failed).toMatchObject({
      code: 'BACKEND_MALFORMED',
      place: 'secrets.a',
      seen: expect.stringContaining(seen),
    });
    expect(failed?.seen).not.toMatch(/soon|176|2026/);
  });

  test('a countdown is no change, and a write is never repeated before it is due', async () => {
    const { fetch, server } = sourceWorld();
    const request = { kind: 'vault-write', path: 'p', data: {}, end: { field: 'left', unit: 'seconds' } } as const;
    server.on('POST p', () => answer({ data: { key: 'k', left: 60 } }));
    const first = held(await fetch(request));
    expect(first.life).toEqual(mono(60_000));
    server.on('POST p', () => answer({ data: { key: 'k', left: 50 } }));
    expect(await fetch(request, first)).toEqual({ state: 'unchanged', life: mono(50_000) });
    server.on('POST q', () => answer({ data: { key: 'k' } }));
    const plainWrite = held(await fetch({ kind: 'vault-write', path: 'q', data: {} }));
    expect(plainWrite.life).toEqual({ kind: 'none', mints: true });
  });

  test('a lease comes first', async () => {
    const { fetch, server } = sourceWorld();
    server.on('GET p', () => answer({ ...LEASE, data: { any: token, until: seconds + 5 } }));
    expect(held(await fetch({ kind: 'vault-read', path: 'p', end: { field: 'until' } })).life).toEqual(lease());
  });
});

describe('a write', () => {
  test('posts its data once and takes fields and lease from the answer', async () => {
    const { fetch, server } = sourceWorld();
    server.on('POST aws/sts/deploy', () => answer({ ...LEASE, renewable: false, data: { access_key: 'k' } }));
    const value = held(await fetch({ kind: 'vault-write', path: 'aws/sts/deploy', data: { ttl: '1h' } }));
    expect(plain(value.fields)).toEqual({ access_key: 'k' });
    expect(value.life).toMatchObject({ kind: 'lease', renewable: false });
    expect(server.calls).toMatchObject([{ body: { ttl: '1h' }, idempotent: false }]);
  });

  test('that makes a token gives its fields, and its life as one that cannot be renewed', async () => {
    const { fetch, server } = sourceWorld();
    const auth = { client_token: 't', lease_duration: 60, renewable: true };
    server.on('POST auth/token/create', () => answer({ lease_id: '', lease_duration: 0, data: null, auth }));
    const value = held(await fetch({ kind: 'vault-write', path: 'auth/token/create', data: {} }));
    expect(plain(value.fields)).toMatchObject({ client_token: 't' });
    expect(value.life).toEqual(lease({ leaseId: Secret.text(''), renewable: false }));
  });

  test('without an answer is empty', async () => {
    const { fetch, server } = sourceWorld();
    server.on('POST p', () => answer({}, 204));
    expect(await failureOf(fetch({ kind: 'vault-write', path: 'p', data: {} }))).toMatchObject({
      code: 'SECRET_EMPTY',
    });
  });
});

describe('renewing a lease', () => {
  const want = wantOf({ kind: 'vault-read', path: 'database/creds/shop' });

  test('asks for the life it began with, also after a renewal gave less', async () => {
    const { backend, server, clock } = sourceWorld();
    let granted = 20;
    server.on('PUT sys/leases/renew', () => answer({ ...LEASE, lease_duration: granted }));
    await clock.advance(40_000);
    const first = await backend.source.renew?.(want, lease(), never);
    expect(first).toMatchObject({ ttlMs: 20_000, startedMonoMs: 40_000, loginId: 7, renewable: true });
    granted = 60;
    await backend.source.renew?.(want, first as LeaseLife, never);
    expect(server.calls.map(({ body }) => body?.['increment'])).toEqual([60, 60]);
    expect(server.calls[0]?.body?.['lease_id']).toEqual(Secret.text('database/creds/shop/abc'));
  });

  test.each([
    ['not known', () => refuse(400, { errors: ['lease not found'] }), 'BACKEND_REJECTED'],
    ['denied', () => refuse(403), 'SECRET_DENIED'],
    ['answered without a life', () => answer({}), 'BACKEND_MALFORMED'],
  ])('that is %s fails', async (_, handler, code) => {
    const { backend, server } = sourceWorld();
    server.on('PUT sys/leases/renew', handler);
    expect(await failureOf(Promise.resolve(backend.source.renew?.(want, lease(), never)))).toMatchObject({ code });
  });
});

describe('a certificate that is not one', () => {
  const request = {
    kind: 'vault-certificate',
    issuer: '/pki/',
    role: 'shop',
    commonName: 'shop.svc',
    altNames: ['a.shop.svc', 'b.shop.svc'],
    ipSans: [],
    uriSans: ['spiffe://x/y'],
    ttl: '24h',
  } as const;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const private_key = privateKey.export({ type: 'pkcs8', format: 'pem' });

  test.each([
    ['no certificate', { private_key }],
    ['no key', { certificate: 'x' }],
    ['a broken certificate', { certificate: 'CANARY', private_key }],
  ])('(%s) is refused without its text', async (_, data) => {
    const { fetch, server } = sourceWorld();
    server.on('POST pki/issue/shop', () => answer({ data }));
    const failed = await failureOf(fetch(request));
    expect(failed).toMatchObject({ code: 'BACKEND_MALFORMED' });
    expect(JSON.stringify(failed)).not.toContain('CANARY');
    expect(server.calls[0]).toMatchObject({
      idempotent: false,
      body: {
        common_name: 'shop.svc',
        alt_names: 'a.shop.svc,b.shop.svc',
        uri_sans: 'spiffe://x/y',
        ttl: '24h',
        format: 'pem',
      },
    });
    expect(server.calls[0]?.body).not.toHaveProperty('ip_sans');
  });
});

describe('a certificate', () => {
  const issued = (data: object) => {
    const { fetch, server } = sourceWorld(Date.now());
    server.on('POST pki/issue/shop', () => answer({ data }));
    return fetch({
      kind: 'vault-certificate',
      issuer: 'pki',
      role: 'shop',
      commonName: 'a',
      altNames: [],
      ipSans: [],
      uriSans: [],
    });
  };
  const authority = createAuthority('test');
  const [one, other] = ['a', 'b'].map((commonName) => authority.issue({ commonName }));

  test('whose key belongs to another is refused', async () => {
    const wrong = issued({ certificate: one?.certificatePem, private_key: other?.keyPem });
    expect(await failureOf(wrong)).toMatchObject({
      code: 'CERTIFICATE_UNFIT',
      seen: 'the private key does not belong to the certificate',
    });
  });

  test('for a local key sends a signing request with its names, and never the key', async () => {
    const { fetch, server } = sourceWorld(Date.now());
    server.on('POST pki/sign/shop', () => answer({ data: {} }));
    const key = { type: 'ec', curve: 'P-256' } as const;
    const names = { commonName: 'a.svc', altNames: ['b.svc'], ipSans: [], uriSans: ['spiffe://x/y'] };
    await failureOf(fetch({ kind: 'vault-certificate', issuer: 'pki', role: 'shop', key, ...names }));
    const body = JSON.stringify(server.calls[0]?.body);
    expect(body).not.toContain('PRIVATE KEY');
    const [, base64 = ''] = /BEGIN CERTIFICATE REQUEST-----(.*)-----END/.exec(body.replaceAll('\\n', '')) ?? [];
    const request = Buffer.from(base64, 'base64').toString('latin1');
    for (const name of ['a.svc', 'b.svc', 'spiffe://x/y']) expect(request).toContain(name);
  });

  test.each([
    ['common name x.svc not allowed by this role', 'the server says "common name x.svc not allowed by this role"'],
    ['a\n\tb \u0007 c', 'the server says "a b c"'],
    ['your token hvs.CAESIJ4kd9fjKD83jdkf93kdf93Kdf8 is bad', 'your token … is bad'],
    ['s.Ab3Ab3Ab3Ab3Ab3Ab3Ab3Ab3', 'the server says "…"'],
    ['x -----BEGIN PRIVATE KEY-----\nabc', 'the server says "x …"'],
    [`y${'z '.repeat(400)}`, 'the server says "yz z'],
  ])('that is refused is told in the words of the server, without what may be a secret: %s', async (words, told) => {
    const { fetch, server } = sourceWorld(Date.now());
    server.on('POST pki/issue/shop', () => refuse(400, { errors: [words] }));
    const names = { commonName: 'x.svc', altNames: [], ipSans: [], uriSans: [] };
    const failed = await failureOf(fetch({ kind: 'vault-certificate', issuer: 'pki', role: 'shop', ...names }));
    expect(failed).toMatchObject({ code: 'BACKEND_REJECTED', seen: expect.stringContaining(told) });
    expect(failed?.seen.length).toBeLessThan(450);
  });

  test('without chain, serial number and expiration has them from the issuer and from itself', async () => {
    const pair = { certificate: one?.certificatePem, private_key: one?.keyPem };
    const ca = authority.certificatePem.trim();
    const { fields, life, version } = held(await issued({ ...pair, issuing_ca: ca, unknown: 'x' }));
    const { notAfterMs } = life as { notAfterMs: number };
    expect(version).toMatch(/^[0-9a-f]{2}(:[0-9a-f]{2})+$/);
    expect(plain(fields)).toMatchObject({ caChain: [ca], serialNumber: version, expiration: `${notAfterMs / 1000}` });
    expect(fields.has('unknown')).toBe(false);
  });
});

describe('the identity of a backend', () => {
  const tools = () => {
    const { server: client, clock } = sourceWorld();
    return { client, clock, session: {} as never, random: () => 0.5, emit: () => {} };
  };
  const identityOf = (more: object, auth: object = {}) =>
    createVaultBackend({ ...config, ...more, auth: { ...config.auth, ...auth } } as never, tools()).identity;

  test('is its address, namespace and login, not its name', () => {
    const base = identityOf({});
    expect(identityOf({ name: 'other' })).toBe(base);
    expect(identityOf({ timeoutMs: 1 })).toBe(base);
    for (const more of [{ address: 'https://else:8200' }, { namespace: 'team' }]) {
      expect(identityOf(more)).not.toBe(base);
    }
    for (const auth of [{ role: 'else' }, { mount: 'else' }]) expect(identityOf({}, auth)).not.toBe(base);
  });

  test.each<[string, object, object[]]>([
    ['jwt', { role: 'a', tokenFile: '/f' }, [{ role: 'b' }, { tokenFile: '/g' }, { mount: 'else' }]],
    ['cert', { role: 'a' }, [{ role: 'b' }, { role: undefined }]],
    ['userpass', { username: 'a', passwordFile: '/f' }, [{ username: 'b' }, { method: 'ldap' }, { mount: 'else' }]],
  ])('is for %s who logs in', (method, auth, others) => {
    const base = identityOf({}, { method, ...auth });
    for (const other of others) expect(identityOf({}, { method, ...auth, ...other })).not.toBe(base);
  });

  test('is with a client certificate the file of that', () => {
    const of = (certFile: string) => identityOf({ tls: { certFile } }, { method: 'cert' });
    expect(of('/a')).not.toBe(of('/b'));
  });

  test('holds no credential, and tells two literal tokens apart', () => {
    const token = { method: 'token', token: Secret.text('CANARY'), tokenFile: undefined };
    expect(identityOf({ name: 'a' }, token)).not.toContain('CANARY');
    expect(identityOf({ name: 'a' }, token)).not.toBe(identityOf({ name: 'b' }, token));
    const role = (roleId: string) => identityOf({}, { method: 'approle', roleId });
    expect(role('CANARY')).not.toContain('CANARY');
    expect(role('one')).not.toBe(role('two'));
  });
});

test('a request of another kind of backend is INTERNAL: a mistake in Pannier, not in the configuration', async () => {
  const { fetch } = sourceWorld();
  await expect(fetch({ kind: 'file', key: 'x' })).rejects.toMatchObject({ failure: { code: 'INTERNAL' } });
});
