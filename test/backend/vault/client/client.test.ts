import { describe, expect, it } from 'vitest';
import { Secret } from '../../../../src/base/secret.ts';
import { lookUp, plainText } from '../../../../src/base/value.ts';
import { reply } from '../../../faults/fault-server.ts';
import { afterwards, connect, serve } from '../../../http/client.helpers.ts';

const good = reply(200, '{"data":{"big":9007199254740993,"price":1.10,"__proto__":"own","list":[true,null]}}');

describe('a request', () => {
  it('carries token, namespace, X-Vault-Request and a User-Agent', async () => {
    const server = await serve(good);
    await connect(server.address, { namespace: 'team-a/sub' }, { version: '1.2.3' }).ask('secret/data/shop');
    expect(server.requests).toMatchObject([
      {
        method: 'GET',
        path: '/v1/secret/data/shop',
        headers: {
          'x-vault-token': 'hvs.canary',
          'x-vault-namespace': 'team-a/sub',
          'x-vault-request': 'true',
          'user-agent': 'pannier/1.2.3',
        },
      },
    ]);
    expect(server.requests[0]?.headers).not.toHaveProperty('accept-encoding');
  });

  it('carries nothing of the environment: no token, namespace or prefix from it', async () => {
    const names = ['VAULT_TOKEN', 'VAULT_NAMESPACE', 'VAULT_PREFIX', 'VAULT_ADDR'];
    for (const name of names) process.env[name] = '/canary';
    afterwards(() => {
      for (const name of names) delete process.env[name];
    });
    const server = await serve(good);
    await connect(server.address).client.call(
      { method: 'POST', path: 'auth/kubernetes/login', place: 'p', idempotent: false, body: {} },
      new AbortController().signal,
    );
    expect(server.requests).toHaveLength(1);
    expect(JSON.stringify(server.requests)).not.toContain('canary');
    expect(server.requests[0]?.headers).not.toHaveProperty('x-vault-token');
  });

  it.each([
    ['secret/data/a b', '/v1/secret/data/a%20b'],
    ['/secret/x', '/v1/secret/x'],
    ['secret/a?b#c%2F', '/v1/secret/a%3Fb%23c%252F'],
    ['secret/&#x2F;', '/v1/secret/%26%23x2F%3B'],
    ['secret/größe/雪', '/v1/secret/gr%C3%B6%C3%9Fe/%E9%9B%AA'],
    ['secret/metadata/', '/v1/secret/metadata/'],
    ['secret/{{x}}/..a', '/v1/secret/%7B%7Bx%7D%7D/..a'],
  ])('to %s asks for %s', async (path, asked) => {
    const server = await serve(good);
    await connect(server.address).ask(path);
    expect(server.requests[0]?.path).toBe(asked);
  });

  it.each(['secret/../sys/seal', './x', 'a/..', 'secret/\ud800'])(
    'to %j is refused before it is sent',
    async (path) => {
      const server = await serve(good);
      expect(await connect(server.address).failing(path)).toMatchObject({
        code: 'BACKEND_REJECTED',
        place: 'secrets.x',
      });
      expect(server.connections()).toBe(0);
    },
  );

  it.each(['hvs.can\nary', 'hvs.canäry', '', 'a b'])(
    'with the token %j is refused without showing it',
    async (token) => {
      const server = await serve(good);
      const failed = await connect(server.address).failing('x', { token: Secret.text(token) });
      expect(failed.code).toBe('AUTH_UNUSABLE');
      expect(failed.seen).toBe('the token has characters that a header cannot carry');
      expect(server.connections()).toBe(0);
    },
  );

  it.each([
    ['GET', 'GET', '/v1/x?version=3'],
    ['LIST', 'GET', '/v1/x?version=3&list=true'],
    ['POST', 'POST', '/v1/x?version=3'],
    ['PUT', 'PUT', '/v1/x?version=3'],
    ['DELETE', 'DELETE', '/v1/x?version=3'],
  ] as const)('%s with a query is sent as %s %s', async (method, sent, path) => {
    const server = await serve(good);
    await connect(server.address).ask('x', { method, query: { version: '3' } });
    expect(server.requests[0]).toMatchObject({ method: sent, path });
  });

  it('LIST is a GET that every proxy lets through', async () => {
    const server = await serve(good);
    await connect(server.address).ask('secret/metadata/', { method: 'LIST' });
    expect(server.requests[0]).toMatchObject({ method: 'GET', path: '/v1/secret/metadata/?list=1' });
  });

  it('sends a body as JSON, with Secrets in it as their own types', async () => {
    const server = await serve(good);
    const body = {
      jwt: Secret.text('a"b\n'),
      count: Secret.number('9007199254740993'),
      on: Secret.boolean(true),
      off: Secret.null(),
      names: ['x', Secret.text('y')],
      map: new Map([['__proto__', Secret.text('z')]]),
      plain: { ttl: 3600, left: undefined },
    };
    for (const method of ['POST', 'PUT'] as const) await connect(server.address).ask('x', { method, body });
    for (const request of server.requests) {
      expect(request.body).toBe(
        '{"jwt":"a\\"b\\n","count":9007199254740993,"on":true,"off":null,"names":["x","y"],"map":{"__proto__":"z"},"plain":{"ttl":3600}}',
      );
      expect(request.headers['content-type']).toBe('application/json');
    }
  });

  it('refuses bytes that are not UTF-8 in a body', async () => {
    const server = await serve(good);
    const body = { x: Secret.bytes(new Uint8Array([0xff])) };
    expect((await connect(server.address).failing('x', { method: 'POST', body })).code).toBe('BACKEND_REJECTED');
  });
});

it('numbers keep their source text, and __proto__ is a name like others', async () => {
  const { body } = await connect((await serve(good)).address).ask('x');
  expect(plainText(lookUp(body, 'data', 'big'))).toBe('9007199254740993');
  expect(plainText(lookUp(body, 'data', 'price'))).toBe('1.10');
  expect(plainText(lookUp(body, 'data', '__proto__'))).toBe('own');
});

it('a fact tells method and path, without the query, and how long it took', async () => {
  const { ask, facts } = connect((await serve(good)).address);
  await ask('secret/data/shop', { query: { version: '3' } });
  expect(facts).toEqual([
    {
      kind: 'backend-answered',
      backend: 'bao',
      call: 'GET secret/data/shop',
      status: 200,
      durationMs: expect.any(Number),
    },
  ]);
});
