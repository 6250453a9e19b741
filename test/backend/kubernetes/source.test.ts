import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Fetched } from '../../../src/backend/backend.ts';
import { openKubernetesBackend } from '../../../src/backend/kubernetes/open.ts';
import { type Failure, PannierError } from '../../../src/base/errors.ts';
import { forbid, refuseWith } from './fake-api-server.ts';
import { type KubeOptions, type KubePlace, openKubePlace, plain, signalOf, wantOf } from './kubernetes.helpers.ts';

const CANARY = 'c4n4ry';

let place: KubePlace;
afterEach(() => place[Symbol.asyncDispose]());

async function open(options?: KubeOptions): Promise<KubePlace> {
  place = await openKubePlace(options);
  return place;
}

async function read(want = wantOf('db'), last?: Fetched): Promise<Fetched> {
  const fetched = await place.backend.source.fetch(want, last, signalOf());
  if (fetched.state !== 'changed') throw new Error('nothing has changed');
  return fetched.value;
}

async function refused(want = wantOf('db'), last?: Fetched): Promise<Failure> {
  try {
    await place.backend.source.fetch(want, last, signalOf());
  } catch (error) {
    if (error instanceof PannierError) return error.failure;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('an object of Kubernetes', () => {
  it('of kind Secret has a field for each key of its data, decoded; bytes that are no text stay bytes', async () => {
    const { server } = await open();
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const version = server.putSecret('db', { user: 'shop', 'tls.key': 'grüße\n', der: bytes, empty: '' });
    const found = await read();
    expect(plain(found.fields)).toEqual({ user: 'shop', 'tls.key': 'grüße\n', der: bytes, empty: '' });
    expect(found).toMatchObject({ version, life: { kind: 'none' } });
    expect(server.got).toMatchObject([{ verb: 'get', path: '/api/v1/namespaces/shop/secrets/db', token: 'token-1' }]);
  });

  it('of kind ConfigMap has the keys of data as they are, and those of binaryData decoded', async () => {
    const { server } = await open();
    server.putConfigMap('settings', { color: 'cmVk' }, { logo: Buffer.from([0xff, 0]).toString('base64') });
    const found = await read(wantOf('settings', { resource: 'configmaps' }));
    expect(plain(found.fields)).toEqual({ color: 'cmVk', logo: Uint8Array.from([0xff, 0]) });
  });

  it('of a mebibyte is read whole', async () => {
    const { server } = await open();
    server.putSecret('db', { large: 'x'.repeat(1024 * 1024) });
    expect((plain((await read()).fields)['large'] as string).length).toBe(1024 * 1024);
  });

  it('gives the keys only that are asked for, and names one that is not there', async () => {
    const { server } = await open();
    server.putSecret('db', { user: 'shop', password: 'p', other: 'o' });
    expect(plain((await read(wantOf('db', { keys: ['user'] }))).fields)).toEqual({ user: 'shop' });
    expect(await refused(wantOf('db', { keys: ['pasword'] }))).toMatchObject({
      code: 'SECRET_NOT_FOUND',
      seen: 'the Secret db in the namespace shop has no key "pasword"; did you mean "password"?',
    });
  });

  it('is read from the namespace of the request, of the backend, of the pod, or from default, in this order', async () => {
    const { server, dir } = await open();
    for (const namespace of ['asked', 'shop', 'pod', 'default']) server.putSecret('db', { in: namespace }, namespace);
    const inNamespace = async (namespace: string | undefined, file: string, asked?: string) => {
      const access = {
        from: 'cluster',
        address: server.address,
        tokenFile: place.tokenFile,
        namespaceFile: file,
      } as const;
      const config = { ...place.config, access, ...(namespace === undefined ? {} : { namespace }) };
      await using backend = await openKubernetesBackend(config, place.context);
      const want = wantOf('db', asked === undefined ? {} : { namespace: asked });
      const fetched = await backend.source.fetch(want, undefined, signalOf());
      return fetched.state === 'changed' ? plain(fetched.value.fields)['in'] : undefined;
    };
    const file = join(dir, 'namespace');
    expect(await inNamespace(undefined, file)).toBe('default');
    await writeFile(file, 'pod\n');
    expect(await inNamespace(undefined, file)).toBe('pod');
    expect(await inNamespace('shop', file)).toBe('shop');
    expect(await inNamespace('shop', file, 'asked')).toBe('asked');
  });

  it('that has another version with the same keys is unchanged, by its new version: a label is no new value', async () => {
    const { server, backend } = await open();
    server.putSecret('db', { user: 'shop' });
    const last = await read();
    server.touch('db');
    const again = await backend.source.fetch(wantOf('db'), last, signalOf());
    expect(again).toEqual({ state: 'unchanged', life: { kind: 'none' }, version: '102' });
  });

  it('without a key is SECRET_EMPTY', async () => {
    const { server } = await open();
    server.putSecret('db', {});
    expect(await refused()).toMatchObject({ code: 'SECRET_EMPTY', place: 'secrets.db.kubernetesSecret' });
  });
});

describe('a refusal of the API server', () => {
  it('403 names the user, the verb and the object, and has the line of a Role to paste', async () => {
    const { server } = await open();
    server.fault = forbid;
    const { code, seen, hint } = await refused();
    expect(code).toBe('SECRET_DENIED');
    expect(seen).toBe('system:serviceaccount:shop:default may not get the Secret db in the namespace shop');
    expect(hint).toContain('{ apiGroups: [""], resources: [secrets], resourceNames: [db], verbs: [get, watch] }');
  });

  it('404 says what there is none of; after a good value it says that the object was deleted', async () => {
    const { server } = await open();
    expect(await refused()).toMatchObject({
      code: 'SECRET_NOT_FOUND',
      seen: 'there is no Secret db in the namespace shop',
    });
    server.putSecret('db', { a: '1' });
    const last = await read();
    server.remove('db');
    expect(await refused(wantOf('db'), last)).toMatchObject({
      code: 'SECRET_DELETED',
      seen: 'the Secret db in the namespace shop was deleted',
    });
  });

  it('401 has the token read again, and the request is sent once more when it is another one', async () => {
    const { server, tokenFile } = await open();
    server.putSecret('db', { a: '1' });
    server.tokens = ['token-2'];
    server.fault = ({ token }, response) => {
      if (token !== 'token-1') return false;
      // The kubelet replaces the token just then.
      void swap(tokenFile, 'token-2').then(() => refuseWith(response, 401, 'Unauthorized', 'Unauthorized'));
      return true;
    };
    expect(plain((await read()).fields)).toEqual({ a: '1' });
    expect(server.got.map(({ token }) => token)).toEqual(['token-1', 'token-2']);
  });

  it('401 for the token that is there is AUTH_DENIED, after one request', async () => {
    const { server } = await open();
    server.tokens = ['another'];
    expect(await refused()).toMatchObject({ code: 'AUTH_DENIED', seen: expect.stringContaining(place.tokenFile) });
    expect(server.got).toHaveLength(1);
  });

  it('401 for a JWT that has ended says so', async () => {
    const { server, tokenFile } = await open();
    server.tokens = ['another'];
    const claims = Buffer.from(JSON.stringify({ exp: Math.floor(Date.now() / 1000) - 3600 })).toString('base64url');
    await writeFile(tokenFile, `${Buffer.from('{}').toString('base64url')}.${claims}.c2ln`);
    expect(await refused()).toMatchObject({ code: 'AUTH_EXPIRED', seen: expect.stringMatching(/expired 1h.* ago/) });
  });

  it.each([
    [429, 'BACKEND_THROTTLED'],
    [500, 'BACKEND_UNAVAILABLE'],
    [503, 'BACKEND_UNAVAILABLE'],
    [400, 'BACKEND_REJECTED'],
  ])('%i is %s', async (status, code) => {
    const { server } = await open();
    server.fault = (_, response) => {
      response.setHeader('retry-after', '7');
      refuseWith(response, status, 'BadRequest', CANARY);
      return true;
    };
    const failed = await refused();
    expect(failed.code).toBe(code);
    expect(JSON.stringify(failed)).not.toContain(CANARY);
  });

  it.each<[string, string]>([
    ['no JSON', `{"a": ${CANARY}`],
    ['another kind', JSON.stringify({ kind: 'Pod', metadata: { resourceVersion: '1' }, data: { a: CANARY } })],
    ['no version', JSON.stringify({ kind: 'Secret', metadata: {}, data: { a: 'YQ==' } })],
    [
      'data that is no base64',
      JSON.stringify({ kind: 'Secret', metadata: { resourceVersion: '1' }, data: { a: `${CANARY}!` } }),
    ],
    ['data that is a number', JSON.stringify({ kind: 'Secret', metadata: { resourceVersion: '1' }, data: { a: {} } })],
  ])('an answer with %s is BACKEND_MALFORMED and shows nothing of it', async (_, body) => {
    const { server } = await open();
    server.fault = (__, response) => {
      response.end(body);
      return true;
    };
    const failed = await refused();
    expect(failed.code).toBe('BACKEND_MALFORMED');
    expect(JSON.stringify([failed, place.facts])).not.toContain(CANARY);
  });

  it('an answer 404 of another server is not taken for a missing object', async () => {
    const { server } = await open();
    server.fault = (_, response) => {
      response.writeHead(404).end('<html>not here</html>');
      return true;
    };
    expect((await refused()).code).toBe('BACKEND_MALFORMED');
  });
});

describe('the token of a pod', () => {
  it('is read for each request, so that a rotated one is used at once', async () => {
    const { server, tokenFile } = await open();
    server.putSecret('db', { a: '1' });
    await read();
    await swap(tokenFile, 'token-2\n');
    await read();
    expect(server.got.map(({ token }) => token)).toEqual(['token-1', 'token-2']);
  });

  it.each([
    ['is not there', undefined, 'AUTH_CREDENTIAL_UNREADABLE'],
    ['is empty', '\n', 'AUTH_CREDENTIAL_EMPTY'],
    ['has two lines', 'a\nb', 'AUTH_CREDENTIAL_UNREADABLE'],
  ])('that %s is said by its file, and nothing is sent', async (_, text, code) => {
    const { server, tokenFile } = await open();
    if (text === undefined) await rm(tokenFile);
    else await writeFile(tokenFile, text);
    expect(await refused()).toMatchObject({ code, place: 'backends.k8s.tokenFile' });
    expect(server.got).toEqual([]);
  });
});

async function swap(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}
