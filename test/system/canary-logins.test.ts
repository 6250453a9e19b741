import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type FaultRequest, reply, startFaultServer } from '../faults/fault-server.ts';
import { enableAppRole, enableCertAuth, enableJwtAuth, enableUserpass } from '../servers/index.ts';
import type { Place } from './agent.helpers.ts';
import { CANARY, LOUD_LOG, loudIn } from './canary.helpers.ts';
import { useScene, useWorld } from './openbao.helpers.ts';

/** No credential of a login is shown anywhere: not when it works, and not when the server's answer repeats it. */

const scene = useScene();
const world = useWorld({ openBao: { tls: true } });
const PASSWORD = `${CANARY}-${randomBytes(8).toString('hex')}`;

beforeAll(async () => {
  const shop = { role: 'shop', policies: ['shop'] };
  const { bao, review, putSecret } = world();
  await putSecret('app', { password: 'x' });
  await enableJwtAuth(bao, { ...shop, review });
  await enableUserpass(bao, { ...shop, password: PASSWORD });
  await enableCertAuth(bao, shop);
});

function configOf(place: Place, backends: Readonly<Record<string, object>>): Promise<string> {
  const names = Object.keys(backends);
  return place.config({
    log: LOUD_LOG,
    backends: Object.fromEntries(
      names.map((name) => [name, { kind: 'vault', address: world().bao.address, ...backends[name] }]),
    ),
    secrets: Object.fromEntries(
      names.map((name) => [name, { backend: name, kv: 'secret/shop/app', refresh: '200ms' }]),
    ),
    outputs: Object.fromEntries(
      names.map((name) => [name, { dir: join(place.dir, name), files: { f: { format: 'json', from: name } } }]),
    ),
  });
}

/** Writes a text to a file. */
function put({ dir }: Place, name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

describe('the credentials of logins come out nowhere', () => {
  it('when they are granted, renewed by another login, and refused after a restart', async () => {
    const place = await scene.place();
    const { bao, review } = world();
    const role = await enableAppRole(bao, { role: 'shop', policies: ['shop'] });
    const jwt = await review.mintToken({ serviceAccount: 'shop' });
    const wrapping = await role.newWrappedSecretId();
    const plain = await role.newSecretId();
    const { address, caFile, certFile, keyFile } = bao.tls;
    const approle = { method: 'approle', roleId: role.roleId };
    const passwordFile = put(place, 'password', PASSWORD);
    const config = await configOf(place, {
      jwt: { auth: { method: 'jwt', role: 'shop', tokenFile: put(place, 'jwt-file', jwt) } },
      userpass: { auth: { method: 'userpass', username: 'shop', passwordFile } },
      cert: { address, tls: { caFile, certFile, keyFile }, auth: { method: 'cert' } },
      wrapped: { auth: { ...approle, secretIdFile: put(place, 'wrapping', wrapping), secretIdWrapped: true } },
      removed: { auth: { ...approle, secretIdFile: put(place, 'plain', plain), removeSecretIdFile: true } },
      wrong: { auth: { method: 'userpass', username: 'nobody', passwordFile } },
    });
    const env = loudIn(place.dir);
    const agent = scene.run(config, { env });
    for (const name of ['jwt', 'userpass', 'cert', 'wrapped', 'removed']) {
      await agent.waitFor('output-published', { fits: ({ output }) => output === name });
    }
    await agent.waitFor('login-failed', { fits: ({ backend }) => backend === 'wrong' });
    const requests = await bao.requests();
    for (const accessor of new Set(requests.map((request) => request.accessor))) {
      if (accessor) await bao.api('POST', 'auth/token/revoke-accessor', { accessor }).catch(() => {});
    }
    for (const name of ['wrapped', 'removed']) {
      await agent.waitFor('login-made', { count: 2, fits: ({ backend }) => backend === name });
    }
    await agent.stop();
    const restarted = await scene.init(config, '5s', { env });
    expect(restarted.facts('login-failed').map(({ code }) => code)).toContain('AUTH_WRAPPING_USED');

    // The test does not know the secret id inside the wrapping token; the server's audit log has only its hash.
    const said = agent.output() + restarted.output();
    const values = [PASSWORD, jwt, jwt.split('.')[2] as string, wrapping, plain];
    for (const value of values) expect(said.includes(value)).toBe(false);
    expect(said).not.toMatch(/\bs\.[A-Za-z0-9]{20}/);
  });

  const METHODS: readonly (readonly [string, (file: string) => object])[] = [
    ['jwt', (tokenFile) => ({ method: 'jwt', role: 'shop', tokenFile })],
    ['userpass', (passwordFile) => ({ method: 'userpass', username: 'shop', passwordFile })],
    ['ldap', (passwordFile) => ({ method: 'ldap', username: 'shop', passwordFile })],
    ['approle', (secretIdFile) => ({ method: 'approle', roleId: 'r', secretIdFile, removeSecretIdFile: true })],
    ['wrapped', (secretIdFile) => ({ method: 'approle', roleId: 'r', secretIdFile, secretIdWrapped: true })],
  ];
  const lookup = (path: string) => JSON.stringify({ data: { creation_path: path } });
  const SECRET_ID = `${PASSWORD}-secret-id`;
  const echo = ({ body, headers }: FaultRequest) => `${body} ${headers['x-vault-token'] ?? ''}`;

  /** Answers that repeat what the server was sent; each lets the login get as far as it can. */
  const ANSWERS: readonly (readonly [string, (request: FaultRequest) => readonly [number, string]])[] = [
    ['errors that quote the request', (request) => [400, JSON.stringify({ errors: [echo(request)] })]],
    ['HTML that quotes it', (request) => [200, `<html>${echo(request)}`]],
    ['a warning that quotes it, and no login', (request) => [200, JSON.stringify({ warnings: [echo(request)] })]],
    ['a creation path that quotes it', (request) => [200, lookup(echo(request))]],
    [
      'the secret id, which is then refused and quoted',
      (request) => {
        if (request.path.endsWith('/lookup')) return [200, lookup('auth/approle/role/r/secret-id')];
        if (request.path.endsWith('/unwrap')) return [200, JSON.stringify({ data: { secret_id: SECRET_ID } })];
        return [403, JSON.stringify({ errors: [echo(request)] })];
      },
    ],
  ];

  it.each(METHODS.flatMap(([method, auth]) => ANSWERS.map(([title, answer]) => ({ method, auth, title, answer }))))(
    '$method: when the server answers with $title',
    async ({ method, auth, answer }) => {
      await using server = await startFaultServer((request, socket) => reply(...answer(request))(request, socket));
      const place = await scene.place();
      const backend = { address: server.address, auth: auth(put(place, 'credential', `${PASSWORD}\n`)) };
      const config = await configOf(place, { bao: backend });
      const agent = await scene.init(config, '700ms', { env: loudIn(place.dir) });
      // The credential was sent, so the search below can fail.
      expect(server.requests.some((request) => echo(request).includes(PASSWORD))).toBe(true);
      if (method === 'wrapped' && server.requests.some(({ path }) => path.endsWith('/unwrap'))) {
        expect(server.requests.some(({ body }) => body.includes(SECRET_ID))).toBe(true);
      }
      expect(agent.status).toBeGreaterThan(0);
      expect(agent.facts('login-failed').length).toBeGreaterThan(0);
      expect(agent.output()).not.toContain(PASSWORD);
    },
  );
});
