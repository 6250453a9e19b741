import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuthConfig } from '../../../src/backend/vault/config/config.ts';
import { Secret } from '../../../src/base/secret.ts';
import { startWorld, type World, writePolicy } from '../../servers/index.ts';
import { eventually } from '../../system/agent.helpers.ts';
import { type Asking, type ProxyingOptions, startProxy } from './proxy.helpers.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
  await world.putSecret('app', { a: 1 });
  await world.putSecret('b c', { a: 2 });
});
afterAll(() => world.stop());

const shop = () => ({ method: 'kubernetes', role: 'shop', tokenFile: world.tokenFile }) as Partial<AuthConfig>;
const proxied = (more: Partial<ProxyingOptions> = {}) =>
  startProxy({ address: world.bao.address, auth: shop(), ...more });
/** A character as a JSON escape. */
const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
const APP = '/v1/secret/data/shop/app';

describe('a request through the proxy', () => {
  it("is sent under the agent's login when it has no token, and under its own token when it has one", async () => {
    const proxy = await proxied();
    const got = await proxy.ask('GET', APP);
    expect([got.status, got.json.data.data]).toEqual([200, { a: 1 }]);
    expect((await proxy.ask('GET', APP, { headers: { 'X-Vault-Token': 's.wrong' } })).status).toBe(403);
    expect((await proxy.ask('GET', APP, { headers: { Authorization: 'Bearer s.wrong' } })).status).toBe(403);
    expect((await proxy.ask('GET', APP, { headers: { 'X-Vault-Token': '' } })).status).toBe(200);
    const root = { 'X-Vault-Token': world.bao.rootToken };
    expect((await proxy.ask('GET', '/v1/sys/mounts', { headers: root })).status).toBe(200);
  });

  it("is sent under the agent's login whatever its token is, with force", async () => {
    const proxy = await proxied({ proxy: { useAutoAuthToken: 'force' } });
    const headers = { 'X-Vault-Token': 's.wrong', Authorization: 'Bearer s.wrong' };
    expect((await proxy.ask('GET', APP, { headers })).status).toBe(200);
    expect(
      (await proxy.ask('GET', '/v1/sys/mounts', { headers: { 'X-Vault-Token': world.bao.rootToken } })).status,
    ).toBe(403);
  });

  it('is sent without a token of the agent when that is off, and the agent does not log in', async () => {
    const proxy = await proxied({ proxy: { useAutoAuthToken: false } });
    expect((await proxy.ask('GET', APP)).status).toBe(403);
    const headers = { 'X-Vault-Token': await world.login() };
    expect((await proxy.ask('GET', APP, { headers })).json.data.data).toEqual({ a: 1 });
    expect(proxy.facts.some(({ kind }) => kind === 'login-made')).toBe(false);
  });

  it('keeps its method, its encoding and its query', async () => {
    const proxy = await proxied();
    expect((await proxy.ask('LIST', '/v1/secret/metadata/shop')).json.data.keys).toContain('app');
    expect((await proxy.ask('GET', '/v1/secret/metadata/shop?list=true')).json.data.keys).toContain('app');
    expect((await proxy.ask('GET', '/v1/secret/data/shop/b%20c')).json.data.data).toEqual({ a: 2 });
    expect((await proxy.ask('GET', `${APP}?version=7`)).status).toBe(404);
    expect((await proxy.ask('HEAD', '/v1/sys/health')).status).toBe(200);
  });

  it('writes, patches and deletes', async () => {
    await writePolicy(
      world.bao,
      'writer',
      'path "secret/*" { capabilities = ["create", "update", "patch", "delete"] }',
    );
    const { auth } = await world.bao.api('POST', 'auth/token/create', { policies: ['writer'] });
    const proxy = await proxied();
    const ask = (method: string, body?: object, type = 'application/json') =>
      proxy.ask(method, '/v1/secret/data/shop/w', {
        headers: { 'X-Vault-Token': auth.client_token, 'Content-Type': type },
        ...(body === undefined ? {} : { body }),
      });
    expect((await ask('POST', { data: { a: 1, b: 2 } })).status).toBe(200);
    expect((await ask('PATCH', { data: { b: 3 } }, 'application/merge-patch+json')).status).toBe(200);
    expect((await proxy.ask('GET', '/v1/secret/data/shop/w')).json.data.data).toEqual({ a: 1, b: 3 });
    const deleted = await ask('DELETE');
    expect([deleted.status, deleted.text]).toEqual([204, '']);
  });

  it('gets a wrapped answer when it asks for one, which is unwrapped by its own token or by name', async () => {
    const proxy = await proxied();
    const ways = [
      (token: string) => ({ headers: { 'X-Vault-Token': token } }),
      (token: string) => ({ body: { token } }),
    ];
    for (const way of ways) {
      const wrapped = await proxy.ask('GET', APP, { headers: { 'X-Vault-Wrap-TTL': '60' } });
      expect(wrapped.json.data).toBeNull();
      const unwrapped = await proxy.ask('POST', '/v1/sys/wrapping/unwrap', way(wrapped.json.wrap_info.token));
      expect(unwrapped.json.data.data).toEqual({ a: 1 });
    }
  });

  it('is sent to the configured namespace unless it names one', async () => {
    await world.bao.api('POST', 'sys/namespaces/team', {});
    await world.bao.api('POST', 'team/sys/mounts/kv', { type: 'kv', options: { version: '1' } });
    await world.bao.api('POST', 'team/kv/x', { of: 'team' });
    const proxy = await proxied({ backend: { namespace: 'team' } });
    const root = { 'X-Vault-Token': world.bao.rootToken };
    expect((await proxy.ask('GET', '/v1/kv/x', { headers: root })).json.data).toEqual({ of: 'team' });
    for (const namespace of ['', 'root', '/']) {
      const inRoot = await proxy.ask('GET', APP, { headers: { ...root, 'X-Vault-Namespace': namespace } });
      expect(`${namespace}: ${inRoot.status}`).toBe(`${namespace}: 200`);
    }
  });

  it('ends in one fact, which holds no query and no token', async () => {
    const proxy = await proxied();
    await proxy.ask('GET', `${APP}?token=s.canary`);
    await proxy.ask('PUT', '/v1/sys/leases/renew/database/creds/shop/canary');
    await proxy.ask('POST', '/v1/auth/token/revoke/s.canary');
    await proxy.ask('GET', '/other');
    expect(proxy.answered().map(({ call, status, cache }) => `${call} ${status} ${cache}`)).toEqual([
      'GET secret/data/shop/app 200 off',
      'PUT sys/leases/renew/… 403 off',
      'POST auth/token/revoke/… 403 off',
      'GET /other 404 off',
    ]);
  });
});

describe("the agent's own login", () => {
  it('is not ended through the proxy', async () => {
    const proxy = await proxied();
    for (const path of ['auth/token/revoke-self', 'auth/token/revoke%2Dself', 'team/auth/token/revoke-self']) {
      const refused = await proxy.ask('POST', `/v1/${path}`);
      expect([refused.status, refused.text]).toEqual([403, expect.stringContaining('PROXY_OWN_LOGIN')]);
    }
    expect((await proxy.ask('GET', APP)).status).toBe(200);
    const headers = { 'X-Vault-Token': await world.login() };
    expect((await proxy.ask('POST', '/v1/auth/token/revoke-self', { headers })).status).toBe(204);
  });

  it('is not ended, nor its life changed, by a client that sends the token of the login as its own', async () => {
    const token = await world.login();
    const proxy = await proxied({ auth: { method: 'token', token: Secret.text(token) } });
    for (const headers of [{ 'X-Vault-Token': token }, { Authorization: `Bearer ${token}` }]) {
      const refused = await proxy.ask('POST', '/v1/auth/token/revoke-self', { headers });
      expect([refused.status, refused.text]).toEqual([403, expect.stringContaining('PROXY_OWN_LOGIN')]);
      const renewed = await proxy.ask('POST', '/v1/auth/token/renew-self', { headers, body: { increment: '1s' } });
      expect([renewed.status, renewed.json.auth.lease_duration > 1]).toEqual([200, true]);
    }
    const found = await proxy.ask('GET', '/v1/auth/token/lookup-self', { headers: { 'X-Vault-Token': token } });
    expect([found.status, found.json.data.ttl > 1]).toEqual([200, true]);
  });

  it('is not ended, nor its life changed, by a request that names it under any token', async () => {
    const proxy = await proxied();
    const { accessor } = (await proxy.ask('GET', '/v1/auth/token/lookup-self')).json.data;
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const root = { 'X-Vault-Token': world.bao.rootToken };
    const ways: readonly (readonly [string, Asking])[] = [
      ['revoke-accessor', { body: { accessor } }],
      ['revoke-accessor', { body: `{"accessor":"${accessor.replaceAll('.', '\\u002e').replace(/^./, escaped)}"}` }],
      ['revoke-accessor', { body: { accessor }, headers: root }],
      ['revoke-accessor', { body: `accessor=${accessor}`, headers: { ...root, ...form } }],
      [`revoke-accessor?accessor=${accessor}`, { headers: { ...root, ...form } }],
      [`revoke-accessor/${accessor}`, { headers: root }],
      ['renew-accessor', { body: { accessor, increment: '1s' }, headers: root }],
    ];
    for (const [path, asking] of ways) {
      const refused = await proxy.ask('POST', `/v1/auth/token/${path}`, asking);
      expect([path, refused.status, refused.text]).toEqual([path, 403, expect.stringContaining('PROXY_OWN_LOGIN')]);
    }
    const unclear = await proxy.ask('POST', '/v1/auth/token/revoke-accessor', { body: `{"accessor":"${accessor}"} x` });
    expect([unclear.status, unclear.text]).toEqual([400, expect.stringContaining('API_MALFORMED')]);
    expect((await proxy.ask('GET', '/v1/auth/token/lookup-self')).json.data.accessor).toBe(accessor);
    expect(proxy.facts.filter(({ kind }) => kind === 'login-made')).toHaveLength(1);
  });

  it.each(['revoke', 'revoke-orphan', 'renew'])('may not be named by its token in auth/token/%s', async (what) => {
    const token = await world.login();
    const auth = { method: 'token', token: Secret.text(token) } as const;
    const proxy = await startProxy({ address: world.bao.address, auth });
    const headers = { 'X-Vault-Token': world.bao.rootToken };
    expect((await proxy.ask('GET', APP)).status).toBe(200);
    const inBody = await proxy.ask('POST', `/v1/auth/token/${what}`, { body: { token }, headers });
    const inPath = await proxy.ask('PUT', `/v1/auth/token/${what}/${token}`, { headers });
    for (const refused of [inBody, inPath]) {
      expect([refused.status, refused.text]).toEqual([403, expect.stringContaining('PROXY_OWN_LOGIN')]);
    }
    expect((await proxy.ask('GET', APP)).status).toBe(200);
    expect(proxy.facts.filter(({ kind }) => kind === 'login-made')).toHaveLength(1);
  });

  it('does not keep clients from ending other tokens', async () => {
    const proxy = await proxied();
    expect((await proxy.ask('GET', APP)).status).toBe(200);
    const headers = { 'X-Vault-Token': world.bao.rootToken };
    const token = await world.login();
    const revoked = await proxy.ask('POST', '/v1/auth/token/revoke', { body: { token }, headers });
    expect(revoked.status).toBe(204);
  });

  it('is shown without its token, however the path is spelt, and never wrapped', async () => {
    const proxy = await proxied();
    for (const path of ['auth/token/lookup-self', 'auth/token/%6cookup-self']) {
      const told = await proxy.ask('GET', `/v1/${path}`);
      expect(told.json.data).toMatchObject({ id: '', display_name: 'kubernetes-default-shop' });
    }
    const headers = { 'X-Vault-Wrap-TTL': '60' };
    expect((await proxy.ask('GET', '/v1/auth/token/lookup-self', { headers })).status).toBe(403);
  });

  it('is renewed for its own time, whatever time a client asks for', async () => {
    const proxy = await proxied();
    const renewed = await proxy.ask('POST', '/v1/auth/token/renew-self', { body: { increment: '1s' } });
    expect(renewed.json.auth).toMatchObject({ client_token: '', lease_duration: 3600 });
  });

  it('is replaced when it is dead, and the request is sent again', async () => {
    const proxy = await proxied();
    await proxy.ask('GET', APP);
    const { accessor } = (await proxy.ask('GET', '/v1/auth/token/lookup-self')).json.data;
    await world.bao.api('POST', 'auth/token/revoke-accessor', { accessor });
    expect((await proxy.ask('GET', APP)).status).toBe(200);
    await world.bao.api('POST', 'auth/token/revoke-accessor', {
      accessor: (await proxy.ask('GET', '/v1/auth/token/lookup-self')).json.data.accessor,
    });
    const body = { common_name: 'shop.svc' };
    expect((await proxy.ask('PUT', '/v1/pki/issue/shop', { body })).status).toBe(200);
    expect(proxy.facts.filter(({ kind }) => kind === 'login-made')).toHaveLength(3);
  });
});

describe('long and slow requests and answers', () => {
  it('are passed on as they come, in both directions', async () => {
    const proxy = await proxied();
    const headers = { 'X-Vault-Token': world.bao.rootToken };
    const big = 'x'.repeat(900_000);
    expect((await proxy.ask('POST', '/v1/kv1/big', { headers, body: { big } })).status).toBe(204);
    expect((await proxy.ask('GET', '/v1/kv1/big', { headers })).json.data.big).toBe(big);
  });

  it('like a log stream begin at once and end with the client', async () => {
    const proxy = await proxied();
    const socket = connect({ path: proxy.socket });
    const heard: string[] = [];
    socket.on('data', (chunk) => heard.push(chunk.toString()));
    socket.write(
      `GET /v1/sys/monitor?log_level=debug HTTP/1.1\r\nHost: x\r\nX-Vault-Token: ${world.bao.rootToken}\r\n\r\n`,
    );
    await eventually(() => expect(heard.join('')).toContain('HTTP/1.1 200'));
    await world.bao.api('POST', 'sys/mounts/noise', { type: 'kv' });
    await eventually(() => expect(heard.join('')).toContain('noise'));
    expect(proxy.answered()).toEqual([]);
    socket.destroy();
    await eventually(() =>
      expect(proxy.answered()).toMatchObject([{ call: 'GET sys/monitor', failure: { code: 'CANCELLED' } }]),
    );
  });
});
