import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type AppRole, enableAppRole, writePolicy } from '../servers/index.ts';
import { baoOf, failuresOf, published, useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld();
let approle: AppRole;

beforeAll(async () => {
  const { bao, putSecret } = world();
  await putSecret('app', { password: 'one' });
  await bao.api('POST', 'kv1/legacy', { password: 'old' });
  await writePolicy(bao, 'legacy', 'path "kv1/legacy" { capabilities = ["read"] }');
  approle = await enableAppRole(bao, { role: 'batch', policies: ['legacy'] });
});

/** A configuration with one output, which has the secret `app` of the shop. */
function shopOf(backends: object, dir: string, more: object = {}): object {
  return {
    backends,
    secrets: { app: { backend: 'bao', kv: 'secret/shop/app', refresh: '300ms' } },
    outputs: { shop: { dir: join(dir, 'out'), files: { password: { content: '{{app.password}}' } } } },
    ...more,
  };
}

const GOOD = { password: 'one' };

interface Refused {
  readonly title: string;
  /** The login to use instead of the good one. */
  auth(dir: string): Promise<object>;
  readonly code: string;
  readonly place: string;
  readonly says: RegExp;
}

const REFUSED: readonly Refused[] = [
  {
    title: 'a token file that is missing',
    auth: async (dir) => ({ tokenFile: join(dir, 'absent') }),
    code: 'AUTH_CREDENTIAL_UNREADABLE',
    place: 'backends.bao.auth.tokenFile',
    says: /absent does not exist.*is mounted/,
  },
  {
    title: 'a token file that is empty',
    auth: async (dir) => ({ tokenFile: await write(dir, '\n') }),
    code: 'AUTH_CREDENTIAL_EMPTY',
    place: 'backends.bao.auth.tokenFile',
    says: /jwt is empty.*program that writes the file/,
  },
  {
    title: 'a role that does not exist',
    auth: async () => ({ role: 'shopp' }),
    code: 'AUTH_DENIED',
    place: 'backends.bao.auth',
    says: /HTTP 400 from http:.*\(invalid role name\).*role/,
  },
  {
    title: 'a mount that does not exist',
    auth: async () => ({ mount: 'k8s' }),
    code: 'AUTH_DENIED',
    place: 'backends.bao.auth',
    says: /HTTP 40[34] from http:.*mount/,
  },
  {
    title: 'a token signed by somebody else',
    auth: async (dir) => ({
      tokenFile: await write(dir, await world().review.mintToken({ serviceAccount: 'shop', forged: true })),
    }),
    code: 'AUTH_DENIED',
    place: 'backends.bao.auth',
    says: /HTTP 403 from http:.*permission denied.*mount, role/,
  },
  {
    title: 'a token of another service account',
    auth: async (dir) => ({ tokenFile: await write(dir, await world().review.mintToken({ serviceAccount: 'thief' })) }),
    code: 'AUTH_DENIED',
    place: 'backends.bao.auth',
    says: /HTTP 403 from http:.*service account name not authorized.*mount, role/,
  },
  {
    title: 'a wrong secret id',
    auth: async (dir) => ({ method: 'approle', roleId: approle.roleId, secretIdFile: await write(dir, 'wrong') }),
    code: 'AUTH_DENIED',
    place: 'backends.bao.auth',
    says: /HTTP 400 from http:.*invalid role or secret ID/,
  },
  {
    title: 'a token that was never issued',
    auth: async (dir) => ({ method: 'token', tokenFile: await write(dir, 's.nobody') }),
    code: 'AUTH_DENIED',
    place: 'backends.bao.auth',
    says: /HTTP 403 from http:.*revoked or ended/,
  },
];

async function write(dir: string, text: string): Promise<string> {
  const path = join(dir, 'jwt');
  await writeFile(path, text);
  return path;
}

/** The login of a case: `auth` alone when it names a method, else parts of the good login are replaced. */
function backendWith(auth: object): object {
  return 'method' in auth ? { kind: 'vault', address: world().bao.address, auth } : baoOf(world(), auth);
}

describe('a login that is refused', () => {
  it.each(REFUSED)('$title: init says so at once and ends with 4; the last good files stay', async (refused) => {
    const place = await scene.place();
    const { dir } = place;
    expect((await scene.init(await place.config(shopOf({ bao: baoOf(world()) }, dir)))).status).toBe(0);
    const bad = await place.config(shopOf({ bao: backendWith(await refused.auth(dir)) }, dir), 'bad.json');
    const agent = await scene.init(bad, '1h');
    const [first, ...others] = failuresOf(agent);
    expect([agent.status, first?.code, first?.place, others]).toEqual([4, refused.code, refused.place, []]);
    expect(`${first?.seen} ${first?.hint}`).toMatch(refused.says);
    expect(first?.seen).toMatch(/; secrets that wait for it: app$/);
    expect(agent.facts('login-failed')[0]).toMatchObject({ backend: 'bao', code: refused.code, hint: first?.hint });
    expect(published(join(dir, 'out'))).toEqual(GOOD);
  });

  it('does not hold up the secrets of another backend, and holds up nothing for an optional secret', async () => {
    const place = await scene.place();
    const { dir } = place;
    const lost = baoOf(world(), { tokenFile: join(dir, 'absent') });
    const configOf = (optional: boolean) =>
      place.config({
        backends: { bao: baoOf(world()), lost },
        secrets: {
          app: { backend: 'bao', kv: 'secret/shop/app' },
          extra: { backend: 'lost', kv: 'secret/shop/extra', optional },
        },
        outputs: {
          app: { dir: join(dir, 'app'), files: { password: { content: '{{app.password}}' } } },
          both: { dir: join(dir, 'both'), files: { password: { content: '{{app.password}}{{default extra.x "!"}}' } } },
        },
      });
    const strict = await scene.init(await configOf(false), '1h');
    expect([strict.status, failuresOf(strict).map(({ code }) => code)]).toEqual([4, ['AUTH_CREDENTIAL_UNREADABLE']]);
    expect([published(join(dir, 'app')), published(join(dir, 'both'))]).toEqual([GOOD, undefined]);
    const relaxed = await scene.init(await configOf(true), '1h');
    expect([relaxed.status, published(join(dir, 'both'))]).toEqual([0, { password: 'one!' }]);
  });

  it('lets run wait for a credential file that does not exist yet, and go on when it does', async () => {
    const place = await scene.place();
    const tokenFile = join(place.dir, 'jwt');
    const agent = scene.run(await place.config(shopOf({ bao: baoOf(world(), { tokenFile }) }, place.dir)));
    await agent.waitFor('login-failed', { fits: ({ code }) => code === 'AUTH_CREDENTIAL_UNREADABLE' });
    await write(place.dir, await world().review.mintToken({ serviceAccount: 'shop' }));
    await agent.waitFor('output-published');
    expect(published(join(place.dir, 'out'))).toEqual(GOOD);
    expect(await agent.stop()).toBe(0);
  });
});

describe('a login that is granted', () => {
  it('reads the token file again at each login, so that a rotated one is used', async () => {
    const { bao, review } = world();
    const role = {
      bound_service_account_names: ['before', 'after'],
      bound_service_account_namespaces: ['default'],
      token_policies: ['shop'],
      token_ttl: '2s',
      token_max_ttl: '2s',
    };
    await bao.api('PUT', 'auth/kubernetes/role/brief', role);
    const place = await scene.place();
    const tokenFile = await write(place.dir, await review.mintToken({ serviceAccount: 'before' }));
    const backend = baoOf(world(), { role: 'brief', tokenFile });
    const agent = scene.run(await place.config(shopOf({ bao: backend }, place.dir)));
    await agent.waitFor('output-published');
    await write(place.dir, await review.mintToken({ serviceAccount: 'after' }));
    const soFar = agent.facts('login-made').length;
    review.deleteServiceAccount('before');
    await agent.waitFor('login-made', { count: soFar + 3 });
    await world().putSecret('app', { password: 'two' });
    await agent.waitFor('output-published', { count: 2 });
    await world().putSecret('app', { password: 'one' });
    // Only a login that was sent with the old token just before the file was replaced may have failed.
    expect(agent.facts('login-failed').length).toBeLessThanOrEqual(1);
  });

  it('by approle or token publishes the files', async () => {
    const place = await scene.place();
    const { dir } = place;
    const secretIdFile = await write(dir, `${await approle.newSecretId()}\n`);
    const tokenFile = join(dir, 'token');
    await writeFile(tokenFile, await world().login());
    const legacy = { secrets: { app: { backend: 'bao', kv: 'kv1/legacy' } } };
    const byRole = backendWith({ method: 'approle', roleId: approle.roleId, secretIdFile });
    const first = await scene.init(await place.config(shopOf({ bao: byRole }, dir, legacy)));
    expect([first.status, published(join(dir, 'out'))]).toEqual([0, { password: 'old' }]);

    const byToken = backendWith({ method: 'token', tokenFile });
    const second = await scene.init(await place.config(shopOf({ bao: byToken }, dir)));
    expect([second.status, published(join(dir, 'out'))]).toEqual([0, GOOD]);
  });

  it('on each of two backends feeds one output; when one login is lost, the secrets of the other backend go on', async () => {
    const place = await scene.place();
    const { dir } = place;
    const secretIdFile = await write(dir, await approle.newSecretId());
    const batch = backendWith({ method: 'approle', roleId: approle.roleId, secretIdFile });
    const config = await place.config(
      shopOf({ bao: baoOf(world()), batch }, dir, {
        secrets: {
          app: { backend: 'bao', kv: 'secret/shop/app', refresh: '300ms' },
          legacy: { backend: 'batch', kv: 'kv1/legacy', refresh: '300ms' },
        },
        outputs: {
          shop: { dir: join(dir, 'out'), files: { both: { content: '{{app.password}} {{legacy.password}}' } } },
        },
      }),
    );
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    expect(published(join(dir, 'out'))).toEqual({ both: 'one old' });
    const methods = agent.facts('login-made').map(({ backend, method }) => [backend, method]);
    expect(methods.sort()).toEqual([
      ['bao', 'kubernetes'],
      ['batch', 'approle'],
    ]);

    await rm(secretIdFile);
    const { bao } = world();
    const requests = await bao.requests();
    const used = requests.findLast(({ path }) => path === 'kv1/legacy');
    await bao.api('POST', 'auth/token/revoke-accessor', { accessor: used?.accessor });
    await agent.waitFor('login-failed', { fits: ({ backend }) => backend === 'batch' });
    await agent.waitFor('secret-state', { fits: ({ state }) => state === 'stale' });
    await world().putSecret('app', { password: 'two' });
    await agent.waitFor('output-published', { count: 2 });
    await world().putSecret('app', { password: 'one' });
    expect(agent.facts('secret-state').map(({ secrets }) => secrets)).toEqual([['legacy']]);
    expect(agent.facts('secret-state')[0]).toMatchObject({ reason: 'AUTH_CREDENTIAL_UNREADABLE' });
  });
});
