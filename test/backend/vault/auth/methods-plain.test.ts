import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LoginConfig } from '../../../../src/backend/vault/config/config.ts';
import { answer, refuse } from './fake-vault.ts';
import { auth, bodyOf, common, failureOf, methodOf } from './method.helpers.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pannier-auth-'));
});
afterAll(() => rm(dir, { recursive: true }));

/** The methods that send one credential from one file; `key` is the configuration key that names the file. */
const METHODS = {
  jwt: (file: string, mount = 'jwt'): LoginConfig => ({
    ...common,
    method: 'jwt',
    mount,
    role: 'shop',
    tokenFile: file,
  }),
  userpass: (file: string, mount = 'userpass', username = 'shop'): LoginConfig => ({
    ...common,
    method: 'userpass',
    mount,
    username,
    passwordFile: file,
  }),
  ldap: (file: string, mount = 'ldap', username = 'shop'): LoginConfig => ({
    ...common,
    method: 'ldap',
    mount,
    username,
    passwordFile: file,
  }),
};

const cases = [
  ['jwt', 'tokenFile', 'login', (text: string) => ({ role: 'shop', jwt: text })],
  ['userpass', 'passwordFile', 'login/shop', (text: string) => ({ password: text })],
  ['ldap', 'passwordFile', 'login/shop', (text: string) => ({ password: text })],
] as const;

describe.each(cases)('the %s login', (method, key, path, body) => {
  test('posts its credential to its mount, as a call that is not sent twice, and reads the file each time', async () => {
    const file = join(dir, method);
    const { client, logIn } = methodOf(METHODS[method](file, '/team/own/'));
    client.on(`POST auth/team/own/${path}`, () => answer({ auth }));
    for (const text of ['first', ' second ']) {
      await writeFile(file, `${text}\n`);
      expect((await logIn()).token.exposeText('backend')).toBe('made');
      expect(client.calls.at(-1)).toMatchObject({ idempotent: false, freshTls: false, place: 'backends.bao.auth' });
      expect(client.calls.at(-1)).not.toHaveProperty('token');
      expect(bodyOf(client)).toEqual(body(text));
    }
  });

  test.each([
    ['missing', undefined, 'AUTH_CREDENTIAL_UNREADABLE'],
    ['empty', '\n', 'AUTH_CREDENTIAL_EMPTY'],
    ['not text', Buffer.from([0xff]), 'AUTH_CREDENTIAL_UNREADABLE'],
  ])('sends no request when the file is %s', async (title, content, code) => {
    const file = join(dir, `${method}-${title}`);
    if (content !== undefined) await writeFile(file, content);
    const { client, logIn } = methodOf(METHODS[method](file));
    expect(await failureOf(logIn)).toMatchObject({ code, place: `backends.bao.auth.${key}` });
    expect(client.calls).toEqual([]);
  });

  test('that is refused shows nothing of the credential', async () => {
    const file = join(dir, `${method}-refused`);
    await writeFile(file, 'canary');
    const { client, logIn } = methodOf(METHODS[method](file));
    client.on(`POST auth/${method}/${path}`, () => refuse(400, { errors: ['canary is wrong'] }));
    const failed = await failureOf(logIn);
    expect(failed).toMatchObject({ code: 'AUTH_DENIED', place: 'backends.bao.auth' });
    expect(JSON.stringify(failed)).not.toContain('canary');
  });
});

test.each(['userpass', 'ldap'] as const)('a user name of %s goes into the path as it is', async (method) => {
  const file = join(dir, 'password');
  await writeFile(file, 'x');
  const { client, logIn } = methodOf(METHODS[method](file, method, 'DOM\\jo é/#?%'));
  client.on(`POST auth/${method}/login/DOM\\jo é/#?%`, () => answer({ auth }));
  await logIn();
});

describe('the cert login', () => {
  const cert = { ...common, method: 'cert', mount: 'cert' } as const;

  test.each([
    ['names its role', { ...cert, role: 'shop' }, { name: 'shop' }],
    ['leaves the choice to the server', cert, {}],
  ])('%s, over a connection of the pair that there is now', async (_, config, body) => {
    const { client, logIn } = methodOf(config);
    client.on('POST auth/cert/login', () => answer({ auth }));
    await logIn();
    expect(client.calls).toMatchObject([{ idempotent: false, freshTls: true }]);
    expect(bodyOf(client)).toEqual(body);
  });
});
