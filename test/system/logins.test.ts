import { randomBytes } from 'node:crypto';
import { copyFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { reply, route, startFaultServer } from '../faults/fault-server.ts';
import { createAuthority, enableCertAuth, enableJwtAuth, enableUserpass } from '../servers/index.ts';
import { failuresOf, published, useScene, useWorld } from './openbao.helpers.ts';

/** The logins other than kubernetes, approle and token, each from a configuration to a file. */

const scene = useScene();
const world = useWorld({ openBao: { tls: true } });
const PASSWORD = randomBytes(12).toString('hex');
const GOOD = { password: 'one' };

beforeAll(async () => {
  const { bao, review, putSecret } = world();
  const shop = { role: 'shop', policies: ['shop'] };
  await putSecret('app', { password: 'one' });
  await enableJwtAuth(bao, { ...shop, review });
  await bao.api('PUT', 'auth/kubernetes/role/audience', {
    bound_service_account_names: ['shop'],
    bound_service_account_namespaces: ['default'],
    audience: review.audience,
  });
  await enableUserpass(bao, { ...shop, password: PASSWORD });
  await enableCertAuth(bao, { ...shop, extra: { allowed_common_names: ['shop'] } });
});

function shopOf(backend: object, dir: string): object {
  return {
    backends: { bao: { kind: 'vault', address: world().bao.address, ...backend } },
    secrets: { app: { kv: 'secret/shop/app', refresh: '300ms' } },
    outputs: { shop: { dir: join(dir, 'out'), files: { password: { content: '{{app.password}}' } } } },
  };
}

async function write(dir: string, text: string, name = 'credential'): Promise<string> {
  const path = join(dir, name);
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
  return path;
}

const jwt = (tokenFile: string, more: object = {}) => ({ auth: { method: 'jwt', role: 'shop', tokenFile, ...more } });
const kubernetes = (tokenFile: string) => ({ auth: { method: 'kubernetes', role: 'audience', tokenFile } });
const userpass = (passwordFile: string, more: object = {}) => ({
  auth: { method: 'userpass', username: 'shop', passwordFile, ...more },
});
const certWith = (pair: { certFile: string; keyFile: string }, auth: object = {}) => {
  const { address, caFile } = world().bao.tls;
  return { address, tls: { caFile, ...pair }, auth: { method: 'cert', ...auth } };
};
const pairOf = ({ certFile, keyFile }: { certFile: string; keyFile: string }) => ({ certFile, keyFile });
const mint = (more: object = {}) => world().review.mintToken({ serviceAccount: 'shop', ...more });

/** A copy of the shop's key pair that a test may rotate. */
async function ownPair(dir: string) {
  const pair = { certFile: join(dir, 'client.pem'), keyFile: join(dir, 'client.key') };
  await rotate(pair, world().bao.tls);
  return pair;
}

async function rotate(pair: { certFile: string; keyFile: string }, from: { certFile: string; keyFile: string }) {
  for (const key of ['certFile', 'keyFile'] as const) {
    await copyFile(from[key], `${pair[key]}.new`);
    await rename(`${pair[key]}.new`, pair[key]);
  }
}

describe('a login that is granted', () => {
  it.each<[string, (dir: string) => Promise<object>]>([
    ['jwt', async (dir) => jwt(await write(dir, `${await mint()}\n`))],
    ['userpass', async (dir) => userpass(await write(dir, `${PASSWORD}\n`))],
    ['cert', async () => certWith(pairOf(world().bao.tls), { role: 'shop' })],
    ['cert without a role', async () => certWith(pairOf(world().bao.tls))],
  ])('%s: init publishes, and revokes nothing', async (title, backend) => {
    const place = await scene.place();
    const agent = await scene.init(await place.config(shopOf(await backend(place.dir), place.dir)));
    expect([agent.status, published(join(place.dir, 'out')), agent.stderr()]).toEqual([0, GOOD, expect.anything()]);
    expect(agent.facts('login-made')[0]).toMatchObject({ backend: 'bao', method: title.split(' ')[0] });
    expect(agent.facts('login-revoked')).toEqual([]);
  });

  /** This OpenBao has no ldap plugin; its requests are those of userpass, so a userpass mount can take its place. */
  it('ldap: is made on a userpass mount, which has the same requests', async () => {
    const { bao } = world();
    await bao.api('POST', 'sys/auth/ldap', { type: 'userpass' });
    await bao.api('PUT', 'auth/ldap/users/jo.doe', { password: PASSWORD, token_policies: ['shop'] });
    const place = await scene.place();
    const passwordFile = await write(place.dir, PASSWORD);
    const auth = { method: 'ldap', username: 'jo.doe', passwordFile };
    const agent = await scene.init(await place.config(shopOf({ auth }, place.dir)));
    expect([agent.status, published(join(place.dir, 'out'))]).toEqual([0, GOOD]);
    expect(agent.facts('login-made')[0]).toMatchObject({ method: 'ldap' });
  });

  it('ldap: a name of Active Directory is encoded in the path', async () => {
    await using server = await startFaultServer(
      reply(400, '{"errors":["ldap operation failed: failed to bind as user"]}'),
    );
    const place = await scene.place();
    const passwordFile = await write(place.dir, PASSWORD);
    const auth = { method: 'ldap', mount: 'corp', username: 'DOM\\jo é', passwordFile };
    const agent = await scene.init(await place.config(shopOf({ address: server.address, auth }, place.dir)));
    expect([agent.status, failuresOf(agent)[0]?.seen]).toEqual([4, expect.stringContaining('(LDAP operation failed)')]);
    expect(server.requests[0]).toMatchObject({ method: 'POST', path: '/v1/auth/corp/login/DOM%5Cjo%20%C3%A9' });
    expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual({ password: PASSWORD });
  });

  /**
   * This OpenBao has no aws plugin: the request is compared with those of STS and botocore in
   * test/backend/vault/auth/aws.test.ts.
   */
  it('aws: sends a request signed by the keys of the environment, and logs nothing of it', async () => {
    const login = { auth: { client_token: 'made', lease_duration: 600, renewable: true, num_uses: 0 } };
    await using server = await startFaultServer(
      route({
        '/v1/auth/aws/login': reply(200, JSON.stringify(login)),
        '/v1/x/app': reply(200, JSON.stringify({ data: { password: 'one' } })),
      }),
    );
    const place = await scene.place();
    const auth = { method: 'aws', role: 'shop', region: 'eu-west-1', serverId: 'vault.shop.example' };
    const shop = { ...shopOf({ address: server.address, auth }, place.dir), secrets: { app: { read: 'x/app' } } };
    const keys = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: PASSWORD };
    const agent = await scene.init(await place.config({ ...shop, log: { level: 'trace' } }), '30s', { env: keys });
    expect([agent.status, published(join(place.dir, 'out'))]).toEqual([0, GOOD]);
    expect(agent.facts('login-made')).toMatchObject([{ backend: 'bao', method: 'aws' }]);
    const sent = JSON.parse(server.requests[0]?.body ?? '{}') as Record<string, string>;
    const headers = Buffer.from(sent['iam_request_headers'] ?? '', 'base64').toString();
    expect(headers).toContain('Credential=AKIDEXAMPLE/');
    const signature = /Signature=(\w+)/.exec(headers)?.[1] ?? 'none';
    for (const hidden of [PASSWORD, signature, sent['iam_request_headers'] ?? '']) {
      expect(`${agent.stdout}${agent.stderr}`).not.toContain(hidden);
    }
  });

  it('is revoked with revokeOnExit, and by a failed init in any case', async () => {
    const place = await scene.place();
    const passwordFile = await write(place.dir, PASSWORD);
    const agent = scene.run(await place.config(shopOf(userpass(passwordFile, { revokeOnExit: true }), place.dir)));
    await agent.waitFor('output-published');
    expect(await agent.stop()).toBe(0);
    expect(agent.facts('login-revoked')).toHaveLength(1);

    const denied = { ...shopOf(userpass(passwordFile), place.dir), secrets: { app: { kv: 'secret/other' } } };
    const failed = await scene.init(await place.config(denied));
    expect([failed.status, failed.facts('login-revoked')]).toEqual([4, [expect.objectContaining({ backend: 'bao' })]]);
  });

  it('is made with a changed password at the next login', async () => {
    const { bao } = world();
    const brief = { token_policies: ['shop'], token_ttl: '2s', token_max_ttl: '2s' };
    await bao.api('PUT', 'auth/userpass/users/brief', { password: 'before', ...brief });
    const place = await scene.place();
    const passwordFile = await write(place.dir, 'before');
    const agent = scene.run(await place.config(shopOf(userpass(passwordFile, { username: 'brief' }), place.dir)));
    await agent.waitFor('output-published');
    await bao.api('PUT', 'auth/userpass/users/brief', { password: 'after', ...brief });
    await write(place.dir, 'after');
    const soFar = agent.facts('login-made').length;
    await agent.waitFor('login-made', { count: soFar + 2 });
    // Only a login that was made between the two writes may have failed.
    expect(agent.facts('login-failed').length).toBeLessThanOrEqual(1);
  });
});

describe('cert: a key pair that was rotated', () => {
  it('is used for the next login, over no connection of the old pair', async () => {
    const { bao } = world();
    const roleOf = (...names: string[]) =>
      enableRole('rotating', { allowed_common_names: names, token_ttl: '2s', token_max_ttl: '2s' });
    await roleOf('shop', 'other');
    const place = await scene.place();
    const pair = await ownPair(place.dir);
    const agent = scene.run(await place.config(shopOf(certWith(pair, { role: 'rotating' }), place.dir)));
    await agent.waitFor('output-published');
    await rotate(pair, bao.tls.other);
    // After one more login, no login runs that was begun with the old pair.
    await agent.waitFor('login-made', { count: agent.facts('login-made').length + 2 });
    await roleOf('other');
    await agent.waitFor('login-made', { count: agent.facts('login-made').length + 2 });
    expect(agent.facts('login-failed')).toEqual([]);
  });

  it('cannot renew the login before, and a new login is made in time', async () => {
    await enableRole('renewing', { token_ttl: '3s', token_max_ttl: '1h' });
    const place = await scene.place();
    const pair = await ownPair(place.dir);
    const backend = certWith(pair, { role: 'renewing' });
    const agent = scene.run(await place.config({ ...shopOf(backend, place.dir), log: { level: 'debug' } }));
    await agent.waitFor('login-renewed');
    await rotate(pair, world().bao.tls.other);
    const replaced = await agent.waitFor('login-replaced');
    expect(replaced).toMatchObject({ reason: 'ending', login: 2 });
    expect(agent.facts('login-renew-failed')).toMatchObject([{ code: 'AUTH_DENIED', retryInMs: 0 }]);
    expect(agent.facts('login-failed')).toEqual([]);
    expect(agent.facts('secret-state')).toEqual([]);
  });

  async function enableRole(name: string, more: object): Promise<void> {
    const { bao } = world();
    const { data } = await bao.api<{ certificate: string }>('GET', 'auth/cert/certs/shop');
    await bao.api('PUT', `auth/cert/certs/${name}`, {
      certificate: data.certificate,
      token_policies: ['shop'],
      ...more,
    });
  }
});

interface Refused {
  readonly title: string;
  backend(dir: string): Promise<object>;
  readonly code?: string;
  readonly place?: string;
  readonly says: RegExp;
}

const REFUSED: readonly Refused[] = [
  {
    title: 'jwt: a file that is missing',
    backend: async (dir) => jwt(join(dir, 'absent')),
    code: 'AUTH_CREDENTIAL_UNREADABLE',
    place: 'backends.bao.auth.tokenFile',
    says: /absent does not exist/,
  },
  {
    title: 'jwt: a token signed by somebody else',
    backend: async (dir) => jwt(await write(dir, await mint({ forged: true }))),
    says: /HTTP 400 from http:.*signed by no known key/,
  },
  {
    title: 'jwt: a token that has expired',
    backend: async (dir) => jwt(await write(dir, await mint({ ttlSeconds: -3600 }))),
    code: 'AUTH_EXPIRED',
    says: /HTTP 400 from http:.*the JWT in .*credential expired 1h(?:\d+s)? ago/,
  },
  {
    title: 'kubernetes: a token that has expired',
    backend: async (dir) => kubernetes(await write(dir, await mint({ ttlSeconds: -3600 }))),
    code: 'AUTH_EXPIRED',
    says: /HTTP 403 from http:.*the JWT in .*credential expired 1h(?:\d+s)? ago/,
  },
  {
    title: 'kubernetes: a token for another audience than the role wants',
    backend: async (dir) => kubernetes(await write(dir, await mint({ audience: 'else' }))),
    says: /audience does not match.*the JWT in .*credential is of the service account default\/shop, for the audience else, good for/,
  },
  {
    title: 'kubernetes: a token of another service account',
    backend: async (dir) => kubernetes(await write(dir, await mint({ serviceAccount: 'till' }))),
    says: /service account name not authorized.*is of the service account default\/till/,
  },
  {
    title: 'jwt: a token for another audience',
    backend: async (dir) => jwt(await write(dir, await mint({ audience: 'else' }))),
    says: /HTTP 400 from http:.*audience does not match/,
  },
  {
    title: 'jwt: no token at all',
    backend: async (dir) => jwt(await write(dir, 'hello')),
    says: /HTTP 400 from http:.*error validating token/,
  },
  {
    title: 'jwt: an unknown role',
    backend: async (dir) => jwt(await write(dir, await mint()), { role: 'shopp' }),
    says: /HTTP 400 from http:.*role/,
  },
  {
    title: 'jwt: an unknown mount',
    backend: async (dir) => jwt(await write(dir, await mint()), { mount: 'oidc' }),
    says: /HTTP 40[34] from http:.*mount/,
  },
  {
    title: 'userpass: a wrong password',
    backend: async (dir) => userpass(await write(dir, 'wrong')),
    says: /HTTP 400 from http:.*invalid username or password/,
  },
  {
    title: 'userpass: an unknown user',
    backend: async (dir) => userpass(await write(dir, PASSWORD), { username: 'nobody' }),
    says: /HTTP 400 from http:.*invalid username or password/,
  },
  {
    title: 'userpass: an empty file',
    backend: async (dir) => userpass(await write(dir, '\n')),
    code: 'AUTH_CREDENTIAL_EMPTY',
    place: 'backends.bao.auth.passwordFile',
    says: /credential is empty/,
  },
  {
    title: 'cert: a certificate that no role takes',
    backend: async () => certWith(world().bao.tls.other, { role: 'shop' }),
    says: /HTTP 400 from https:.*the client certificate matches no role/,
  },
  {
    title: 'cert: an unknown role',
    backend: async () => certWith(pairOf(world().bao.tls), { role: 'nobody' }),
    says: /HTTP 400 from https:.*client certificate not trusted, or the role unknown/,
  },
  {
    title: 'cert: a certificate of an unknown authority',
    backend: async (dir) => {
      const { certificatePem, keyPem } = createAuthority('strange').issue({ commonName: 'shop' });
      return certWith({ certFile: await write(dir, certificatePem, 'c'), keyFile: await write(dir, keyPem, 'k') });
    },
    says: /HTTP 400 from https:.*client certificate not trusted/,
  },
];

describe('a login that is refused', () => {
  it.each(REFUSED)('$title: init says so at once and ends with 4', async (refused) => {
    const place = await scene.place();
    const config = await place.config(shopOf(await refused.backend(place.dir), place.dir));
    const agent = await scene.init(config, '1h');
    const [first, ...others] = failuresOf(agent);
    const { code = 'AUTH_DENIED', place: where = 'backends.bao.auth' } = refused;
    expect([agent.status, first?.code, first?.place, others]).toEqual([4, code, where, []]);
    expect(`${first?.seen} ${first?.hint}`).toMatch(refused.says);
  });

  it.each<[string, (dir: string) => Promise<object>, RegExp]>([
    [
      'a key of another certificate',
      async () => ({ certFile: world().bao.tls.certFile, keyFile: world().bao.tls.other.keyFile }),
      /tls.keyFile is not the key of tls.certFile/,
    ],
    ['a file that is missing', async (dir) => ({ ...world().bao.tls, certFile: join(dir, 'absent') }), /absent/],
  ])('cert: %s: init says so at its deadline and ends with 3', async (_, pair, says) => {
    const place = await scene.place();
    const { certFile, keyFile } = (await pair(place.dir)) as { certFile: string; keyFile: string };
    const config = await place.config(shopOf(certWith({ certFile, keyFile }), place.dir));
    const agent = await scene.init(config, '700ms');
    expect([agent.status, failuresOf(agent)[0]?.code]).toEqual([3, 'BACKEND_TLS']);
    expect(failuresOf(agent)[0]?.seen).toMatch(says);
  });

  it('cert without a certificate is a problem of the configuration', async () => {
    const place = await scene.place();
    const { address, caFile } = world().bao.tls;
    const config = await place.config(shopOf({ address, tls: { caFile }, auth: { method: 'cert' } }, place.dir));
    const agent = await scene.init(config);
    expect([agent.status, agent.stderr()]).toEqual([2, expect.stringContaining('backends.bao.tls.certFile: absent')]);
  });
});
