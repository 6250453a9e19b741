import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type Asking, askAt } from '../deliver/proxy/proxy.helpers.ts';
import { pythonPackage } from '../render/formats/installed.helpers.ts';
import { ensureOpenBao, findFreePort } from '../servers/index.ts';
import { eventually } from './agent.helpers.ts';
import { health, problemsOf } from './observe.helpers.ts';
import { baoOf, useScene, useWorld } from './openbao.helpers.ts';

const CANARY = 'canary-9f3e';
const run = promisify(execFile);
const scene = useScene();
const world = useWorld({ database: true });

/** Starts an agent whose proxy listens on a socket and a port. */
async function proxied(proxy: object = {}, env: Readonly<Record<string, string>> = {}) {
  const { dir, config } = await scene.place();
  const socket = join(dir, 'vault.sock');
  const port = await findFreePort();
  const write = (more: object = {}) =>
    config({
      log: { level: 'debug', format: 'json' },
      backends: { bao: baoOf(world()) },
      proxy: { socket, listen: `127.0.0.1:${port}`, useAutoAuthToken: true, ...proxy, ...more },
    });
  const agent = scene.run(await write(), { env });
  await agent.waitFor('listener-opened', { count: 2 });
  return { agent, write, dir, socket, port, tcp: `http://127.0.0.1:${port}`, unix: `unix://${socket}` };
}

const HVAC = `
import hvac, json, sys
client = hvac.Client(url=sys.argv[1])
kv = client.secrets.kv.v2
print(json.dumps({
  "value": kv.read_secret_version(path="shop/app", raise_on_deleted_version=True)["data"]["data"],
  "keys": kv.list_secrets(path="shop")["data"]["keys"],
  "user": client.secrets.database.generate_credentials("shop")["data"]["username"],
  "self": client.auth.token.lookup_self()["data"]["id"],
}))
`;

describe('clients without a login of their own', () => {
  it('bao reads, lists, wraps and unwraps over the socket and over TCP', async () => {
    await world().putSecret('app', { password: 'of-app' });
    const { tcp, unix, dir, socket } = await proxied();
    const binary = await ensureOpenBao();
    for (const address of [tcp, unix]) {
      const env = { HOME: dir, BAO_ADDR: address, VAULT_ADDR: address, PATH: '/usr/bin:/bin' };
      const bao = async (...args: string[]) => (await run(binary, args, { env })).stdout;
      expect(await bao('kv', 'get', '-field=password', 'secret/shop/app')).toBe('of-app');
      expect(await bao('kv', 'list', 'secret/shop')).toContain('app');
      const token = (await bao('read', '-wrap-ttl=60s', '-field=wrapping_token', 'secret/data/shop/app')).trim();
      expect(await bao('unwrap', '-format=json', token)).toContain('of-app');
      expect(await bao('read', '-field=username', 'database/creds/shop')).toMatch(/^v-/);
    }
    expect(statSync(socket).mode & 0o777).toBe(0o600);
  });

  it('hvac reads, lists with LIST, and takes credentials', async () => {
    await world().putSecret('app', { password: 'of-app' });
    const { tcp, dir } = await proxied();
    const hvac = await pythonPackage(
      'hvac',
      '2.4.0',
      'requests==2.34.2',
      'urllib3==2.8.0',
      'certifi',
      'idna==3.20',
      'charset_normalizer==3.5.2',
    );
    const env = { PYTHONPATH: hvac, HOME: dir, PATH: '/usr/bin:/bin:/usr/local/bin' };
    const { stdout } = await run('python3', ['-c', HVAC, tcp], { env });
    const result = JSON.parse(stdout) as { value: object; keys: string[]; user: string; self: string };
    expect(result).toMatchObject({ value: { password: 'of-app' }, user: expect.stringMatching(/^v-/), self: '' });
    expect(result.keys).toContain('app');
  });

  it('node-vault reads and lists with LIST', async () => {
    await world().putSecret('app', { password: 'of-app' });
    const { tcp } = await proxied({ requireRequestHeader: false });
    const { default: createVault } = await import('node-vault');
    const vault = createVault({ endpoint: tcp, token: '' });
    expect((await vault.read('secret/data/shop/app')).data.data).toEqual({ password: 'of-app' });
    expect((await vault.list('secret/metadata/shop')).data.keys).toContain('app');
  });

  it('curl reads over the socket, and over TCP with the required header', async () => {
    await world().putSecret('app', { password: 'of-app' });
    const { tcp, socket } = await proxied();
    const curl = async (...args: string[]) => (await run('curl', ['-s', '-w', '%{http_code}', ...args])).stdout;
    const path = '/v1/secret/data/shop/app';
    expect(await curl('--unix-socket', socket, `http://localhost${path}`)).toMatch(/of-app.*200$/s);
    expect(await curl(`${tcp}${path}`)).toMatch(/PROXY_HEADER.*412$/s);
    expect(await curl('-H', 'X-Vault-Request: true', `${tcp}${path}`)).toMatch(/of-app.*200$/s);
    expect(await curl('-H', 'X-Vault-Request: true', '-H', 'Host: evil.test', `${tcp}${path}`)).toMatch(/421$/);
  });
});

describe('readiness', () => {
  it('fails while there is no login to lend, and holds once there is one, before the first client', async () => {
    const { dir, config } = await scene.place();
    const admin = join(dir, 'admin.sock');
    const bao = baoOf(world(), { role: 'late' });
    const proxy = { socket: join(dir, 'vault.sock'), useAutoAuthToken: true };
    scene.run(await config({ backends: { bao }, proxy, admin: { socket: admin } }));
    const ready = async () => await health(admin, 'readyz').then((one) => [one.status, problemsOf(one)] as const);
    await eventually(async () => expect(await ready()).toEqual([503, ['AUTH_DENIED backends.bao.auth']]));
    const role = { bound_service_account_names: ['shop'], bound_service_account_namespaces: ['default'] };
    await world().bao.api('PUT', 'auth/kubernetes/role/late', { ...role, token_policies: ['shop'] });
    await eventually(async () => expect(await ready()).toEqual([200, []]));
  });
});

describe('a new configuration', () => {
  it('keeps the leases of the proxy, its sockets and its connections', async () => {
    const { agent, write, socket } = await proxied({ cache: {} });
    const agentOf = new Agent({ keepAlive: true, maxSockets: 1 });
    const user = async () => {
      const { headers, json } = await askAt({ socketPath: socket, agent: agentOf }, 'GET', '/v1/database/creds/shop');
      return `${headers['x-cache']} ${json.data.username}`;
    };
    const first = await user();
    await write({ cache: { maxEntries: 10 }, requireRequestHeader: false });
    agent.kill('SIGHUP');
    await agent.waitFor('config-applied');
    expect(await user()).toBe(first.replace('MISS', 'HIT'));
    expect(agent.facts('listener-closed')).toEqual([]);
    await write({ cache: { maxEntries: 10, staticKv: {} }, listen: `127.0.0.1:${await findFreePort()}` });
    agent.kill('SIGHUP');
    await agent.waitFor('config-applied', { count: 2 });
    expect(await user()).toBe(first.replace('MISS', 'HIT'));
    agentOf.destroy();
  });
});

describe('nothing that goes through the proxy comes out', () => {
  it('of values, tokens, bodies, queries and headers, whatever the requests are', async () => {
    await world().putSecret('app', { password: `${CANARY}-value` });
    const noise = { DEBUG: '*', NODE_DEBUG: 'http,https,net,tls,stream', NODE_V8_COVERAGE: '' };
    const { agent, socket } = await proxied({ cache: { staticKv: {} } }, noise);
    const ask = (method: string, path: string, more?: Asking) => askAt({ socketPath: socket }, method, path, more);
    const marked = { headers: { 'X-Vault-Token': `s.${CANARY}`, 'X-Own': CANARY } };
    for (let i = 0; i < 2; i++) {
      expect((await ask('GET', '/v1/secret/data/shop/app')).text).toContain(CANARY);
      await ask('GET', `/v1/secret/data/shop/app?token=${CANARY}`);
      await ask('GET', '/v1/secret/data/shop/app', marked);
      await ask('POST', '/v1/secret/data/shop/app', { body: { data: { a: CANARY } } });
      await ask('POST', '/v1/auth/token/revoke', { body: { token: CANARY } });
      await ask('POST', `/v1/auth/token/revoke/${CANARY}`);
      await ask('POST', `/v1/team/a/auth/token/renew/${CANARY}`);
      await ask('POST', `/v1/auth%2ftoken%2frenew%2f${CANARY}`);
      await ask('POST', `//v1/auth//token/renew//${CANARY}`);
      await ask('TRACE', `/v1/sys/wrapping/unwrap/${CANARY}`, marked);
      await ask('PUT', `/v1/sys/leases/revoke/${CANARY}`);
      await ask('POST', '/agent/v1/cache-clear', { body: { type: CANARY, value: CANARY } });
      await ask('POST', '/agent/v1/cache-clear', { body: `{"type":"${CANARY}` });
      await ask('GET', '/v1/database/creds/shop');
      await ask('GET', '/v1/secret/data/shop/app', { headers: { Via: CANARY } });
      await ask('GET', '/v1/auth/token/lookup-self');
    }
    const own = await world().login();
    await ask('GET', '/v1/secret/data/shop/app', { headers: { 'X-Vault-Token': own } });
    await agent.stop();
    expect(agent.facts('proxy-answered').length).toBeGreaterThan(20);
    for (const value of [CANARY, own]) expect(agent.output()).not.toContain(value);
    expect(agent.output()).not.toMatch(/\bs\.[A-Za-z0-9]{20}/);
  });
});

describe('ten thousand fuzzed requests', () => {
  it('crash nothing, and each gets an answer or a closed connection', async () => {
    const { agent, socket } = await proxied({ cache: { staticKv: {} } });
    const random = seeded(7);
    const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
    const part = () =>
      pick([
        'v1',
        'secret',
        'data',
        'shop',
        '..',
        '.',
        '%2e%2e',
        '%2f',
        '%00',
        '%zz',
        '',
        'a'.repeat(300),
        'ä',
        '?x=1',
        '#',
        '%25',
        'sys',
        'auth',
        'token',
        'lookup-self',
        '\\',
      ]);
    const line = () =>
      `${pick(['GET', 'LIST', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'SCAN', 'LOST', 'OPTIONS'])} /v1/${Array.from({ length: Math.floor(random() * 6) }, part).join('/')} HTTP/1.1\r\n`;
    const head = () =>
      pick([
        'Host: x\r\n',
        'Host: x\r\nContent-Length: 2\r\n\r\n{}',
        'Host: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n',
        'Host: x\r\nX-Vault-Token: \r\n',
        'Host: x\r\nX-Vault-Namespace: ../..\r\n',
        'Host: x\r\nContent-Length: 99999999999999999999\r\n',
        'Host: x\r\nContent-Length: 5\r\n\r\n{',
        '',
      ]);
    let answers = 0;
    const one = () =>
      new Promise<void>((resolve) => {
        const connection = connect({ path: socket }, () => connection.end(`${line()}${head()}\r\n`));
        connection.once('data', () => answers++).resume();
        connection.on('error', () => {}).once('close', () => resolve());
      });
    for (let i = 0; i < 625; i++) await Promise.all(Array.from({ length: 16 }, one));
    expect(answers).toBeGreaterThan(5_000);
    expect((await askAt({ socketPath: socket }, 'GET', '/v1/sys/health')).status).toBe(200);
    expect(agent.facts('task-crashed')).toEqual([]);
    expect(agent.output()).not.toMatch(/INTERNAL/);
  }, 120_000);
});

/** Pseudo-random numbers that are the same in each run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
