import { describe, expect, it } from 'vitest';
import { loadWith, problemsOf } from './config.helpers.ts';

/** Spellings that people bring from the command line and the API of Vault. */
describe('the mount of a login', () => {
  const withMount = (mount: string, env = {}) => {
    const auth = { method: 'kubernetes', role: 'shop', mount };
    return loadWith({ backends: { bao: { kind: 'vault', address: 'http://127.0.0.1:8200', auth } } }, env);
  };

  it.each([
    ['auth/k8s', 'k8s'],
    ['/auth/k8s/', 'k8s'],
    ['v1/auth/team/k8s', 'team/k8s'],
  ])('is refused as %s, with what is meant', async (mount, meant) => {
    expect(await problemsOf(withMount(mount))).toMatchObject([
      {
        code: 'CONFIG_INVALID',
        place: 'backends.bao.auth.mount',
        seen: 'the path of a login begins with auth/ already',
        hint: `Write mount: ${meant}.`,
      },
    ]);
  });

  it('is not shown when a reference gave it', async () => {
    const [problem] = await problemsOf(withMount('${env:MOUNT}', { MOUNT: 'auth/hunter2' }));
    expect(problem).toMatchObject({ place: 'backends.bao.auth.mount', hint: 'Leave auth/ out.' });
  });

  it.each([
    ['k8s', 'k8s'],
    ['/team/k8s/', 'team/k8s'],
    ['authority/k8s', 'authority/k8s'],
    ['team/auth/k8s', 'team/auth/k8s'],
  ])('may be %s', async (mount, taken) => {
    const { backends } = await withMount(mount);
    expect(backends.get('bao')).toMatchObject({ auth: { mount: taken } });
  });
});

describe('a path of `read`', () => {
  const warningsOf = async (secret: object, env = {}) => {
    const { warnings } = await loadWith({ secrets: { app: secret } }, env);
    return warnings.map(({ code, place, seen, hint }) => `${code} ${place}: ${seen}. ${hint}`);
  };

  it.each([
    ['secret/data/shop/app', 'secret/shop/app'],
    ['/secret/data/app/', 'secret/app'],
    ['team/kv/data/app', 'team/kv/app'],
    ['data/data/data/app', 'data/data/app'],
  ])('that looks like KV version 2 is a warning with the kv to write: %s', async (read, kv) => {
    const path = read.replace(/^\/|\/$/g, '');
    expect(await warningsOf({ read })).toEqual([
      `SECRET_IS_KV secrets.app.read: ${path} looks like one of KV version 2, with the stored fields below data. ` +
        `If it is, write kv: ${kv}. The fields are then the stored ones.`,
    ]);
  });

  it('that a reference gave is not shown', async () => {
    const [warning] = await warningsOf({ read: '${env:P}' }, { P: 'secret/data/hunter2' });
    expect(warning).toMatch(/^SECRET_IS_KV secrets\.app\.read: the path looks like .* write kv, and leave data\/ out/);
  });

  it.each([
    ['of another engine', { read: 'database/creds/shop' }],
    ['below data/', { read: 'data/shop' }],
    ['that ends with data', { read: 'secret/data' }],
    ['of the server itself', { read: 'sys/data/x' }],
    ['of identity', { read: 'identity/data/x' }],
    ['with an end of its own', { read: 'tokens/data/x', end: 'until' }],
    ['written as kv', { kv: 'secret/shop/app' }],
  ])('%s is no warning', async (_, secret) => {
    expect(await warningsOf(secret)).toEqual([]);
  });
});

describe('a path of `kv` with data/ behind the mount', () => {
  const warningsOf = async (secret: object, env = {}) => {
    const { warnings } = await loadWith({ secrets: { app: secret } }, env);
    return warnings.map(({ code, place, seen, hint }) => `${code} ${place}: ${seen}. ${hint}`);
  };

  it('is a warning that says which secret is read, and how to write the other', async () => {
    expect(await warningsOf({ kv: '/secret/data/shop/app' })).toEqual([
      'SECRET_KV_DATA secrets.app.kv: of KV version 2 the secret without data/ is read: data/ behind the mount is no ' +
        'part of the name. Leave data/ out, or write data/data/ when the name begins with data/.',
    ]);
  });

  it.each([
    ['written twice', { kv: 'secret/data/data/app' }],
    ['behind a mount that is named', { kv: 'secret/data/app', mount: 'secret' }],
    ['of version 1', { kv: 'secret/data/app', kvVersion: 1 }],
    ['further down', { kv: 'secret/shop/data/app' }],
    ['at the end', { kv: 'secret/data' }],
  ])('%s is no warning', async (_, secret) => {
    expect(await warningsOf(secret)).toEqual([]);
  });
});
