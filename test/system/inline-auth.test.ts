import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { reply, route, startFaultServer } from '../faults/fault-server.ts';
import {
  type AppRole,
  enableAppRole,
  enableCertAuth,
  enableJwtAuth,
  enableKv,
  enableUserpass,
  shopPolicy,
  writePolicy,
} from '../servers/index.ts';
import { type Agent, runAgent } from './agent.helpers.ts';
import { CANARY, LOUD } from './canary.helpers.ts';
import { baoOf, failuresOf, published, useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld({ database: true, openBao: { tls: true } });
const PASSWORD = `${CANARY}-${randomBytes(8).toString('hex')}`;
let role: AppRole;

beforeAll(async () => {
  const { bao, review, putSecret } = world();
  const shop = { role: 'shop', policies: ['shop'] };
  for (const name of ['app', 'two', 'three']) await putSecret(name, { password: 'x' });
  await bao.api('POST', 'kv1/app', { password: 'old' });
  await writePolicy(bao, 'shop', `${shopPolicy}\npath "team/kv/data/*" { capabilities = ["read"] }`);
  await enableKv(bao, 'team/kv', 2);
  await bao.api('POST', 'team/kv/data/app', { data: { password: 'nested' } });
  const leased = { allowed_domains: ['shop.svc'], allow_bare_domains: true, generate_lease: true, max_ttl: '72h' };
  await bao.api('PUT', 'pki/roles/leased', { ...leased, key_type: 'ec', key_bits: 256 });
  await enableJwtAuth(bao, { ...shop, review });
  await enableUserpass(bao, { ...shop, password: PASSWORD });
  await enableCertAuth(bao, shop);
  role = await enableAppRole(bao, shop);
});

const APP = { app: { kv: 'secret/shop/app' } };

async function setUp(auth: object = {}, secrets: object = APP, backend: object = {}) {
  const place = await scene.place();
  const dir = join(place.dir, 'out');
  const files = Object.fromEntries(Object.keys(secrets).map((name) => [name, { format: 'json', from: name }]));
  const config = await place.config({
    log: { level: 'trace' },
    backends: { bao: { ...baoOf(world(), auth), ...backend } },
    secrets,
    outputs: { shop: { dir, files } },
  });
  return { place: place.dir, dir, config };
}

/** The login of a method, beside that of Kubernetes that `baoOf` gives. */
const login = (auth: object) => ({ auth: { ...auth, inline: 'auto' } });

/** What a command asks, the logins that the server makes for inline auth included, and how many tokens it leaves. */
async function count<T>(work: () => Promise<T>): Promise<{ done: T; paths: string[]; tokens: number }> {
  const { bao } = world();
  const tokens = async () => (await bao.api<{ keys: string[] }>('LIST', 'auth/token/accessors')).data.keys.length;
  const [before, asked] = [await tokens(), (await bao.requests()).length];
  const done = await work();
  const paths = (await bao.requests()).slice(asked).map(({ path }) => path);
  return { done, paths, tokens: (await tokens()) - before };
}

const withoutLogins = (paths: readonly string[]) => paths.filter((path) => !path.startsWith('auth/')).sort();
const isSpared = (agent: Agent) => agent.facts('login-inline').map((fact) => !('code' in fact));

describe('inline auth, on a real OpenBao', () => {
  it('lets init fetch what has no lease without any token', async () => {
    const { dir, config } = await setUp(
      { inline: 'auto' },
      {
        ...APP,
        old: { kv: 'kv1/app', mount: 'kv1', kvVersion: 1 },
        tls: { certificate: { issuer: 'pki', role: 'shop', commonName: 'shop.svc' } },
      },
    );
    const { done, paths, tokens } = await count(() => scene.init(config));
    expect([done.status, tokens, isSpared(done), done.facts('login-made')]).toEqual([0, 0, [true], []]);
    expect(withoutLogins(paths)).toEqual(['kv1/app', 'pki/issue/shop', 'secret/data/shop/app']);
    expect(Object.keys(published(dir) ?? {}).sort()).toEqual(['app', 'old', 'tls']);
    expect(JSON.parse(published(dir)?.['old'] ?? '')).toEqual({ password: 'old' });
  });

  it.each([
    ['jwt', () => ({ method: 'jwt', role: 'shop', tokenFile: world().tokenFile })],
    ['approle without a secret id', () => ({ method: 'approle', roleId: role.roleId })],
  ])('goes by %s', async (_, auth) => {
    const { bao } = world();
    await bao.api('POST', 'auth/approle/role/shop', { bind_secret_id: false, token_bound_cidrs: ['127.0.0.1/32'] });
    const { config } = await setUp({}, APP, login(auth()));
    const { done, tokens } = await count(() => scene.init(config));
    expect([done.status, tokens, isSpared(done)]).toEqual([0, 0, [true]]);
  });

  it('goes by a client certificate, and by a password, none of which is told', async () => {
    const { bao } = world();
    const { address, caFile, certFile, keyFile } = bao.tls;
    const cert = await setUp({}, APP, { address, tls: { caFile, certFile, keyFile }, ...login({ method: 'cert' }) });
    const byCert = await count(() => scene.init(cert.config));
    expect([byCert.done.status, byCert.tokens, isSpared(byCert.done)]).toEqual([0, 0, [true]]);

    const user = await setUp({});
    const passwordFile = join(user.place, 'password');
    writeFileSync(passwordFile, PASSWORD);
    const two = { ...APP, two: { kv: 'secret/shop/two' }, three: { kv: 'secret/shop/three' } };
    const userpass = await setUp({}, two, login({ method: 'userpass', username: 'shop', passwordFile }));
    const byUser = await count(() => scene.init(userpass.config, '20s', { env: LOUD }));
    expect([byUser.done.status, byUser.tokens, isSpared(byUser.done)]).toEqual([0, 0, [true]]);
    const carried = Buffer.from(JSON.stringify({ key: 'password', value: PASSWORD })).toString('base64url');
    for (const text of [PASSWORD, carried, 'Inline-Auth']) expect(byUser.done.output()).not.toContain(text);

    writeFileSync(passwordFile, `wrong-${PASSWORD}`);
    const wrong = await count(() => scene.init(userpass.config, '5s', { env: LOUD }));
    expect([wrong.done.status, isSpared(wrong.done)]).toEqual([4, [false]]);
    expect(wrong.done.output()).not.toContain(PASSWORD);
    // A user is locked after five refusals: for three secrets the password is refused once, and once more.
    expect(wrong.paths).toEqual(['auth/userpass/login/shop', 'auth/userpass/login/shop']);
  });

  it('lets render and get --direct make no token either', async () => {
    const { config } = await setUp({ inline: 'auto' });
    for (const args of [
      ['render', '-c', config],
      ['get', 'app.password', '--direct', '-c', config],
    ]) {
      const { done, paths, tokens } = await count(() => runAgent(args));
      expect([done.status, tokens, withoutLogins(paths)]).toEqual([0, 0, ['secret/data/shop/app']]);
    }
  });

  it('is not used where a secret has a lease: one login, and the server is not asked for its version', async () => {
    const { config } = await setUp({ inline: 'auto' }, { ...APP, db: { read: 'database/creds/shop' } });
    const { done, tokens } = await count(() => scene.init(config));
    expect([done.status, tokens, isSpared(done)]).toEqual([0, 1, []]);
    expect(done.facts('login-made')).toHaveLength(1);
    expect(done.facts('backend-answered').filter(({ call }) => String(call).includes('sys/health'))).toEqual([]);
  });

  it('gives way to a login where a certificate has a lease, or the path is not the one that is guessed', async () => {
    for (const secrets of [
      { it: { certificate: { issuer: 'pki', role: 'leased', commonName: 'shop.svc' } } },
      { it: { kv: 'team/kv/app' }, app: { kv: 'secret/shop/app' } },
    ]) {
      const { dir, config } = await setUp({ inline: 'auto' }, secrets);
      const { done, tokens } = await count(() => scene.init(config));
      expect([done.status, tokens]).toEqual([0, 1]);
      expect(isSpared(done).at(-1)).toBe(false);
      expect(Object.keys(published(dir) ?? {})).toEqual(Object.keys(secrets).sort());
    }
  });

  it('says what is wrong as a login does: a wrong role, a denied path, a secret that is not there', async () => {
    for (const [auth, secrets] of [
      [{ role: 'none' }, APP],
      [{}, { app: { kv: 'other/shop/app' } }],
      [{}, { app: { kv: 'secret/shop/none' } }],
    ] as const) {
      const [inline, plain] = [await setUp({ ...auth, inline: 'auto' }, secrets), await setUp(auth, secrets)];
      const by = await count(() => scene.init(inline.config, '3s'));
      const without = await scene.init(plain.config, '3s');
      expect(by.tokens).toBe(0);
      expect(by.done.status).toBe(without.status);
      const said = (agent: Agent) => failuresOf(agent).map(({ code, place, hint }) => ({ code, place, hint }));
      expect(said(by.done)).toEqual(said(without));
    }
  });

  it('does not use a secret id, which may be good for one login only', async () => {
    const { bao } = world();
    await bao.api('POST', 'auth/approle/role/shop', { secret_id_num_uses: 1, bind_secret_id: true });
    const { place } = await setUp();
    const secretIdFile = join(place, 'secret-id');
    writeFileSync(secretIdFile, await role.newSecretId());
    const auth = { method: 'approle', roleId: role.roleId, secretIdFile };
    const { config } = await setUp({}, { ...APP, two: { kv: 'secret/shop/app' } }, login(auth));
    const init = await scene.init(config, '5s');
    expect([init.status, isSpared(init)]).toEqual([0, [false]]);
    rmSync(secretIdFile);
  });

  it('makes no token in thirty inits that loop, and a plain init that fails leaves none', async () => {
    const { config } = await setUp({ inline: 'auto' });
    const failing = await setUp({}, { ...APP, none: { kv: 'secret/shop/none' } });
    const isKilled = async () => {
      const init = scene.startInit(config);
      await init.waitFor('agent-started');
      init.kill('SIGKILL');
      await init.ended;
    };
    const ends = async (of: string, status: number) => expect((await scene.init(of)).status).toBe(status);
    const { tokens } = await count(async () => {
      for (let round = 0; round < 10; round++) {
        await Promise.all([ends(config, 0), ends(failing.config, 1), isKilled()]);
      }
    });
    expect(tokens).toBe(0);
  });
});

describe('inline auth, while the server is away', () => {
  it('waits for it as a login does, and makes no token then', async () => {
    const { bao } = world();
    const { config } = await setUp({ inline: 'auto' }, APP, { timeout: '300ms' });
    const { done, tokens } = await count(async () => {
      bao.suspend();
      const init = scene.startInit(config);
      await init.waitFor('login-failed').finally(() => bao.resume());
      return { status: await init.ended, init };
    });
    expect([done.status, tokens, isSpared(done.init)]).toEqual([0, 0, [true]]);
  });
});

describe('inline auth, on another server', () => {
  it.each([
    ['Vault of a later version', { initialized: true, sealed: false, version: '2.5.0', enterprise: false }],
    ['OpenBao 2.3', { initialized: true, sealed: false, version: '2.3.1' }],
    ['a server that does not tell its version', { initialized: true, sealed: false, version: '' }],
  ])('sends no credential in a header to %s, and logs in', async (_, health) => {
    const token = { client_token: 'hvs.t', lease_duration: 3600, renewable: false };
    const server = scene.keep(
      await startFaultServer(
        route({
          '/v1/sys/health': reply(200, JSON.stringify(health)),
          '/v1/auth/kubernetes/login': reply(200, JSON.stringify({ auth: token })),
          '/v1/kv/app': reply(200, JSON.stringify({ data: { password: 'x' } })),
        }),
      ),
    );
    const secrets = { app: { kv: 'kv/app', mount: 'kv', kvVersion: 1 } };
    const { config } = await setUp({ inline: 'auto' }, secrets, { address: server.address });
    const init = await scene.init(config);
    expect([init.status, isSpared(init)]).toEqual([0, [false]]);
    expect(server.requests.map(({ path }) => path.split('?')[0])).toEqual([
      '/v1/sys/health',
      '/v1/auth/kubernetes/login',
      '/v1/kv/app',
    ]);
    expect(JSON.stringify(server.requests.map(({ headers }) => headers)).toLowerCase()).not.toContain('inline');
  });
});
