import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type AppRole, enableAppRole } from '../servers/index.ts';
import { failuresOf, published, useScene, useWorld } from './openbao.helpers.ts';

/** Wrapped secret ids, and files of secret ids that are removed, on a real OpenBao. */

const scene = useScene();
const world = useWorld();
let approle: AppRole;
const GOOD = { password: 'one' };
const PLACE = 'backends.bao.auth.secretIdFile';

beforeAll(async () => {
  const { bao, putSecret } = world();
  await putSecret('app', { password: 'one' });
  approle = await enableAppRole(bao, { role: 'shop', policies: ['shop'] });
});

interface Shop {
  readonly dir: string;
  readonly file: string;
  put(text: string): Promise<void>;
  config(more?: object, backend?: object): Promise<string>;
}

async function shop(): Promise<Shop> {
  const place = await scene.place();
  const file = join(place.dir, 'secret-id');
  return {
    dir: place.dir,
    file,
    async put(text) {
      await writeFile(`${file}.new`, text);
      await rename(`${file}.new`, file);
    },
    config(more = {}, backend = {}) {
      const auth = { method: 'approle', roleId: approle.roleId, secretIdFile: file, secretIdWrapped: true, ...more };
      return place.config({
        backends: { bao: { kind: 'vault', address: world().bao.address, auth, ...backend } },
        secrets: { app: { kv: 'secret/shop/app', refresh: '300ms' } },
        outputs: { shop: { dir: join(place.dir, 'out'), files: { password: { content: '{{app.password}}' } } } },
      });
    },
  };
}

/** The accessor of the agent's last login. */
async function lastAccessor(): Promise<string> {
  const requests = await world().bao.requests();
  return requests.findLast(({ path }) => path === 'secret/data/shop/app')?.accessor as string;
}

const wrapTtl = () => ({ token: world().bao.rootToken, wrapTtl: '60s' });

describe('a wrapped secret id', () => {
  it('is unwrapped once, and logs in again after its login was revoked', async () => {
    const { put, config, dir } = await shop();
    await put(`${await approle.newWrappedSecretId()}\n`);
    const agent = scene.run(await config());
    await agent.waitFor('output-published');
    expect(published(join(dir, 'out'))).toEqual(GOOD);
    await world().bao.api('POST', 'auth/token/revoke-accessor', { accessor: await lastAccessor() });
    await agent.waitFor('login-made', { count: 2 });
    expect(agent.facts('login-failed')).toEqual([]);
    const requests = await world().bao.requests();
    expect(requests.filter(({ path }) => path === 'sys/wrapping/unwrap')).toHaveLength(1);
  });

  it('after a restart fails with the reason; another one is used at once', async () => {
    const { put, config, dir } = await shop();
    await put(await approle.newWrappedSecretId());
    const file = await config();
    expect((await scene.init(file)).status).toBe(0);
    const again = await scene.init(file, '1h');
    expect([again.status, failuresOf(again)]).toEqual([
      4,
      [
        expect.objectContaining({
          code: 'AUTH_WRAPPING_USED',
          place: PLACE,
          seen: expect.stringContaining('was used already or has ended'),
          hint: expect.stringMatching(/before a restart, another party may have read the secret id/),
        }),
      ],
    ]);
    const agent = scene.run(file);
    await agent.waitFor('login-failed', { fits: ({ code }) => code === 'AUTH_WRAPPING_USED' });
    await put(await approle.newWrappedSecretId());
    await agent.waitFor('login-made');
    expect(published(join(dir, 'out'))).toEqual(GOOD);
  });

  it.each<[string, () => Promise<string>, string]>([
    [
      'that somebody else has read',
      async () => {
        const token = await approle.newWrappedSecretId();
        await world().bao.api('POST', 'sys/wrapping/unwrap', {}, { token });
        return token;
      },
      'AUTH_WRAPPING_USED',
    ],
    [
      'that wraps something else',
      async () =>
        (await world().bao.api('POST', 'sys/wrapping/wrap', { secret_id: 'mine' }, wrapTtl())).wrap_info.token,
      'AUTH_WRAPPING_PATH',
    ],
    [
      'that wraps a login',
      async () => {
        const secret_id = await approle.newSecretId();
        const body = { role_id: approle.roleId, secret_id };
        return (await world().bao.api('POST', 'auth/approle/login', body, wrapTtl())).wrap_info.token;
      },
      'AUTH_WRAPPING_PATH',
    ],
    ['that is a plain secret id', () => approle.newSecretId(), 'AUTH_WRAPPING_USED'],
    ['that is a token of another kind', () => world().login(), 'AUTH_WRAPPING_USED'],
    ['that is nothing', async () => '\n', 'AUTH_CREDENTIAL_EMPTY'],
    ['that no header can carry', async () => 'é\n\nx', 'AUTH_WRAPPING_USED'],
  ])('%s is refused: init ends with 4', async (_, token, code) => {
    const { put, config } = await shop();
    await put(await token());
    const agent = await scene.init(await config(), '1h');
    expect([agent.status, failuresOf(agent).map((one) => [one.code, one.place])]).toEqual([4, [[code, PLACE]]]);
  });

  it('of another mount is left unused for its own client', async () => {
    const { put, config } = await shop();
    const token = await approle.newWrappedSecretId();
    await put(token);
    const agent = await scene.init(await config({ mount: 'approle-2' }), '1h');
    expect([agent.status, failuresOf(agent)[0]?.code]).toEqual([4, 'AUTH_WRAPPING_PATH']);
    const { data } = await world().bao.api('POST', 'sys/wrapping/unwrap', {}, { token });
    expect(data).toHaveProperty('secret_id');
  });

  it('of a namespace is unwrapped there', async () => {
    const { bao } = world();
    const inTeam = { token: bao.rootToken, namespace: 'team' };
    await bao.api('POST', 'sys/namespaces/team', {});
    await bao.api('POST', 'sys/auth/approle', { type: 'approle' }, inTeam);
    await bao.api('POST', 'sys/mounts/kv', { type: 'kv' }, inTeam);
    await bao.api('POST', 'kv/app', { password: 'one' }, inTeam);
    await bao.api('PUT', 'sys/policies/acl/app', { policy: 'path "kv/*" { capabilities = ["read"] }' }, inTeam);
    await bao.api('POST', 'auth/approle/role/shop', { token_policies: ['app'] }, inTeam);
    const { data } = await bao.api<{ role_id: string }>('GET', 'auth/approle/role/shop/role-id', undefined, inTeam);
    const made = await bao.api('POST', 'auth/approle/role/shop/secret-id', {}, { ...inTeam, wrapTtl: '60s' });
    const { put, dir } = await shop();
    await put(made.wrap_info.token);
    const place = await scene.place();
    const auth = {
      method: 'approle',
      roleId: data.role_id,
      secretIdFile: join(dir, 'secret-id'),
      secretIdWrapped: true,
    };
    const config = await place.config({
      backends: { bao: { kind: 'vault', address: bao.address, namespace: 'team', auth } },
      secrets: { app: { read: 'kv/app' } },
      outputs: { shop: { dir: join(place.dir, 'out'), files: { password: { content: '{{app.password}}' } } } },
    });
    const agent = await scene.init(config);
    expect([agent.status, published(join(place.dir, 'out'))]).toEqual([0, GOOD]);
  });
});

describe('removeSecretIdFile', () => {
  it.each([
    ['plain', false, () => approle.newSecretId()],
    ['wrapped', true, () => approle.newWrappedSecretId()],
  ] as const)('%s: the file goes after the login, a new login is made, a restart needs another', async (...given) => {
    const [, secretIdWrapped, make] = given;
    const { put, config, file, dir } = await shop();
    await put(await make());
    const path = await config({ secretIdWrapped, removeSecretIdFile: true });
    const agent = scene.run(path);
    await agent.waitFor('output-published');
    expect([existsSync(file), published(join(dir, 'out'))]).toEqual([false, GOOD]);
    await world().bao.api('POST', 'auth/token/revoke-accessor', { accessor: await lastAccessor() });
    await agent.waitFor('login-made', { count: 2 });
    expect(agent.facts('login-failed')).toEqual([]);
    expect(await agent.stop()).toBe(0);

    const again = await scene.init(path, '1h');
    expect([again.status, failuresOf(again)]).toEqual([
      4,
      [
        expect.objectContaining({
          code: 'AUTH_CREDENTIAL_UNREADABLE',
          place: PLACE,
          hint: expect.stringContaining('deliver one for each start'),
        }),
      ],
    ]);
  });

  it.skipIf(process.getuid?.() !== 0)('a file that cannot be removed is a warning, and the login is used', async () => {
    const { put, config, file, dir } = await shop();
    await put(await approle.newSecretId());
    const path = await config({ secretIdWrapped: false, removeSecretIdFile: true });
    for (const readable of [dir, file, path]) await chmod(readable, 0o755);
    await mkdir(join(dir, 'out'));
    await chown(join(dir, 'out'), 65_534, 65_534);
    const agent = await scene.init(path, '20s', { uid: 65_534, gid: 65_534 });
    expect([agent.status, existsSync(file), published(join(dir, 'out'))]).toEqual([0, true, GOOD]);
    expect(agent.facts('agent-warning')).toContainEqual(
      expect.objectContaining({ code: 'AUTH_CREDENTIAL_LEFT', place: PLACE }),
    );
  });

  it('the secret id is kept when the configuration of its backend changes', async () => {
    const { put, config, file } = await shop();
    await put(await approle.newWrappedSecretId());
    const agent = scene.run(await config({ removeSecretIdFile: true }));
    await agent.waitFor('output-published');
    expect(existsSync(file)).toBe(false);
    await config({ removeSecretIdFile: true }, { timeout: '7s' });
    agent.kill('SIGHUP');
    await agent.waitFor('login-made', { count: 2 });
    expect(agent.facts('login-failed')).toEqual([]);
  });
});
