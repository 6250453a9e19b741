import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LeaseLife } from '../../../src/backend/backend.ts';
import type { VaultBackendConfig } from '../../../src/backend/vault/config/config.ts';
import { openVaultBackend } from '../../../src/backend/vault/open.ts';
import { systemClock } from '../../../src/base/clock.ts';
import type { Fact } from '../../../src/base/fact.ts';
import { Secret } from '../../../src/base/secret.ts';
import type { SecretRequest } from '../../../src/config/config.ts';
import { enableKv, type OpenBao, startWorld, type World } from '../../servers/index.ts';
import { config, failureOf, held, never, wantOf } from './source/vault.helpers.ts';

let world: World;
let bao: OpenBao;
beforeAll(async () => {
  world = await startWorld({ database: true });
  ({ bao } = world);
  await world.putSecret('app', { password: 'hunter2' });
  await bao.api('POST', 'kv1/app', { password: 'hunter2' });
  await enableKv(bao, 'team/kv', 2);
  await bao.api('POST', 'team/kv/data/app', { data: { password: 'hunter2' } });
  await bao.api('POST', 'sys/mounts/transit', { type: 'transit' });
  await bao.api('POST', 'transit/keys/k');
  await bao.api('POST', 'sys/namespaces/team-a', {});
  await bao.api('POST', 'sys/mounts/vault', { type: 'kv', options: { version: '1' } }, inTeam());
  await bao.api('POST', 'vault/app', { password: 'hunter2' }, inTeam());
});
afterAll(() => world.stop());

const inTeam = () => ({ token: bao.rootToken, namespace: 'team-a' });
const caller = (namespace: string | undefined) => (namespace === undefined ? bao.rootToken : inTeam());
const written = (path: string): SecretRequest => ({ kind: 'vault-write', path, data: {} }) as never;
const kv = (path: string, more: object = {}): SecretRequest => ({ kind: 'vault-kv', path, ...more });
const certificate = {
  kind: 'vault-certificate',
  issuer: 'pki',
  role: 'shop',
  commonName: 'shop.svc',
  altNames: [],
  ipSans: [],
  uriSans: [],
} as SecretRequest;

let count = 0;

/** A backend whose token has one policy, and OpenBao's `default`. */
async function withPolicy(hcl: string, { namespace }: { namespace?: string } = {}) {
  const name = `advice-${++count}`;
  const put = (text: string) => bao.api('PUT', `sys/policies/acl/${name}`, { policy: text }, caller(namespace));
  await put(hcl);
  const { auth } = await bao.api('POST', 'auth/token/create', { policies: [name] }, caller(namespace));
  const facts: Fact[] = [];
  const login = {
    method: 'token',
    mount: 'token',
    revokeOnExit: false,
    token: Secret.text(auth.client_token),
  } as const;
  const full: VaultBackendConfig = { ...config, address: bao.address, auth: login, ...(namespace && { namespace }) };
  const backend = openVaultBackend(full, {
    clock: systemClock,
    random: Math.random,
    emit: (fact) => void facts.push(fact),
    env: {},
    version: '0',
    kept: new Map(),
  });
  return {
    facts,
    source: backend.source,
    fetch: (request: SecretRequest) => backend.source.fetch(wantOf(request), undefined, never),
    asked: (part: string) =>
      facts.filter((fact) => fact.kind === 'backend-answered' && fact.call.includes(part)).length,
    allow: (lines: string) => put(`${hcl}\n${lines}`),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
}

/** The policy lines in a hint. */
const linesIn = (hint = '') => hint.match(/path "[^"]+" \{ capabilities = \[[^\]]+\] \}/g) ?? [];

const NOTHING = 'path "nowhere" { capabilities = ["read"] }';
const V2_WITHOUT_DATA = 'path "secret/shop/*" { capabilities = ["read", "list"] }';

describe('a denied request says which policy lines are missing', () => {
  it.each<[string, SecretRequest, string, string]>([
    ['kv version 2', kv('secret/shop/app'), V2_WITHOUT_DATA, 'path "secret/data/shop/app" { capabilities = ["read"] }'],
    [
      'kv version 1',
      kv('kv1/app'),
      'path "kv1/x" { capabilities = ["read"] }',
      'path "kv1/app" { capabilities = ["read"] }',
    ],
    [
      'a kv mount of two segments',
      kv('team/kv/app'),
      'path "team/kv/data/x" { capabilities = ["read"] }',
      'path "team/kv/data/app" { capabilities = ["read"] }',
    ],
    [
      'a list of names',
      { kind: 'vault-list', path: 'secret/shop' } as SecretRequest,
      V2_WITHOUT_DATA,
      'path "secret/metadata/shop" { capabilities = ["list"] }',
    ],
    [
      'read',
      { kind: 'vault-read', path: 'database/creds/shop' } as SecretRequest,
      'path "database/creds/x" { capabilities = ["read"] }',
      'path "database/creds/shop" { capabilities = ["read"] }',
    ],
    [
      'write',
      written('transit/datakey/plaintext/k'),
      'path "transit/x" { capabilities = ["read"] }',
      'path "transit/datakey/plaintext/k" { capabilities = ["update"] }',
    ],
    [
      'certificate',
      certificate,
      'path "pki/x" { capabilities = ["read"] }',
      'path "pki/issue/shop" { capabilities = ["update"] }',
    ],
  ])('for %s, and with them it succeeds', async (_, request, policy, line) => {
    await using login = await withPolicy(policy);
    expect(await failureOf(login.fetch(request))).toMatchObject({
      code: 'SECRET_DENIED',
      place: 'secrets.a',
      seen: expect.stringContaining('HTTP 403'),
      hint: `Add to a policy of the login: ${line}`,
    });
    await login.allow(line);
    expect((await login.fetch(request)).state).toBe('changed');
  });

  it('in its namespace, relative to which the path is', async () => {
    const policy = 'path "vault/x" { capabilities = ["read"] }';
    await using login = await withPolicy(policy, { namespace: 'team-a' });
    const line = 'path "vault/app" { capabilities = ["read"] }';
    const failed = await failureOf(login.fetch(kv('vault/app')));
    expect(failed?.hint).toBe(`Add to a policy of the login in namespace team-a: ${line}`);
    await login.allow(line);
    expect((await login.fetch(kv('vault/app'))).state).toBe('changed');
  });

  it('for the renewal of a lease', async () => {
    const creds = 'path "database/creds/shop" { capabilities = ["read"] }';
    const deny = 'path "sys/leases/renew" { capabilities = ["deny"] }';
    await using login = await withPolicy(`${creds}\n${deny}`);
    const request = { kind: 'vault-read', path: 'database/creds/shop' };
    const life = held(await login.fetch(request)).life as LeaseLife;
    const failed = await failureOf(login.source.renew?.(wantOf(request), life, never) as Promise<unknown>);
    const line = 'path "sys/leases/renew" { capabilities = ["update"] }';
    expect(failed).toMatchObject({ code: 'SECRET_DENIED', hint: `Add to a policy of the login: ${line}` });
  });

  it('and nothing more for a path that a template computed of secrets', async () => {
    await using login = await withPolicy(NOTHING);
    const failed = await failureOf(login.fetch(kv('secret/hunter2', { isPathPrivate: true })));
    expect(failed).toMatchObject({ code: 'SECRET_DENIED', hint: "Extend the login's policy." });
  });
});

describe('a mount that the login does not see', () => {
  it('is named, with both causes and the line of each KV version', async () => {
    await using login = await withPolicy(NOTHING);
    const failed = await failureOf(login.fetch(kv('secret/shop/app')));
    expect(failed?.hint).toBe(
      'The login sees no mount for this path: there is none, or no policy of the login names a path in it. ' +
        'It sees no other mount either. If the path is right, add to a policy of the login: ' +
        'path "secret/data/shop/app" { capabilities = ["read"] } for KV version 2, or ' +
        'path "secret/shop/app" { capabilities = ["read"] } for version 1',
    );
    await login.allow(linesIn(failed?.hint).join('\n'));
    expect((await login.fetch(kv('secret/shop/app'))).state).toBe('changed');
  });

  it.each([
    ['secrt/shop/app', 'Did you mean secret/?'],
    ['team/kb/app', 'Did you mean team/kv/?'],
    ['elsewhere/app', 'It sees secret/, team/kv/.'],
  ])('may be misspelt: %s', async (path, says) => {
    const two = 'path "team/kv/data/*" { capabilities = ["read"] }\npath "secret/data/*" { capabilities = ["read"] }';
    await using login = await withPolicy(two);
    const failed = await failureOf(login.fetch(kv(path)));
    expect(failed?.code).toBe('SECRET_DENIED');
    expect(failed?.hint).toContain(says);
    expect(failed?.hint).toContain('It sees secret/, team/kv/.');
  });

  it('is said to be missing when the policy allows the path', async () => {
    const all = 'path "*" { capabilities = ["read", "list", "update"] }';
    await using login = await withPolicy(all);
    const path = 'secrt/app';
    const requests = [kv(path), written(path), { kind: 'vault-read', path }, { kind: 'vault-list', path }];
    for (const request of requests) {
      expect(await failureOf(login.fetch(request))).toMatchObject({
        code: 'SECRET_NOT_FOUND',
        seen: expect.stringContaining('(no handler for route)'),
        hint: expect.stringMatching(/^There is no mount for this path\. Did you mean secret\/\? It sees .*secret\//),
      });
    }
  });

  it('is asked about once, however many secrets are denied and however often', async () => {
    await using login = await withPolicy(NOTHING);
    const paths = ['secret/a', 'secret/b', 'kv1/c'];
    for (let round = 0; round < 3; round++) {
      await Promise.all(paths.map((path) => failureOf(login.fetch({ kind: 'vault-read', path }))));
    }
    expect(login.asked('GET secret/a')).toBe(3);
    expect(
      login.facts.filter((fact) => fact.kind === 'backend-answered' && /ui\/mounts$/.test(fact.call)),
    ).toHaveLength(1);
  });
});

describe('read of KV version 2', () => {
  const POLICY = 'path "secret/*" { capabilities = ["read"] }';

  it('is one warning at the first answer, and none at later ones', async () => {
    await using login = await withPolicy(POLICY);
    const request = { kind: 'vault-read', path: 'secret/data/shop/app' };
    await login.fetch(request);
    await login.fetch(request);
    const warnings = login.facts.flatMap((fact) => (fact.kind === 'agent-warning' ? [fact.warning] : []));
    expect(warnings).toMatchObject([
      {
        code: 'SECRET_IS_KV',
        place: 'secrets.a',
        seen: 'the answer of secret/data/shop/app is one of KV version 2, with the stored fields below data',
        hint: 'Write kv: secret/shop/app. The fields are then the stored ones.',
      },
    ]);
  });

  it.each([
    ['allowed', POLICY, 'SECRET_NOT_FOUND'],
    ['denied', 'path "secret/data/*" { capabilities = ["read"] }', 'SECRET_DENIED'],
  ])('by a path without data/ says what to write, %s', async (_, policy, code) => {
    await using login = await withPolicy(policy);
    expect(await failureOf(login.fetch({ kind: 'vault-read', path: 'secret/shop/app' }))).toMatchObject({
      code,
      hint: 'Write kv: secret/shop/app. secret/ is KV version 2, which kv reads.',
    });
  });
});
