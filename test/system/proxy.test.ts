import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { pythonPackage } from '../render/formats/installed.ts';
import { ensureOpenBao, findFreePort } from '../servers/index.ts';
import { baoOf, useScene, useWorld } from './scene.ts';

const run = promisify(execFile);
const scene = useScene();
const world = useWorld({ database: true });

/** A running agent whose proxy is on a socket and on a port. */
async function proxied(proxy: object = {}) {
  const { dir, config } = await scene.place();
  const socket = join(dir, 'vault.sock');
  const port = await findFreePort();
  const file = await config({
    log: { level: 'debug', format: 'json' },
    backends: { bao: baoOf(world()) },
    proxy: { socket, listen: `127.0.0.1:${port}`, useAutoAuthToken: true, ...proxy },
  });
  const agent = scene.run(file);
  await agent.waitFor('listener-opened', { count: 2 });
  return { agent, dir, socket, port, tcp: `http://127.0.0.1:${port}`, unix: `unix://${socket}` };
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
    const told = JSON.parse(stdout) as { value: object; keys: string[]; user: string; self: string };
    expect(told).toMatchObject({ value: { password: 'of-app' }, user: expect.stringMatching(/^v-/), self: '' });
    expect(told.keys).toContain('app');
  });

  it('node-vault reads and lists with LIST', async () => {
    await world().putSecret('app', { password: 'of-app' });
    const { tcp } = await proxied({ requireRequestHeader: false });
    const { default: createVault } = await import('node-vault');
    const vault = createVault({ endpoint: tcp, token: '' });
    expect((await vault.read('secret/data/shop/app')).data.data).toEqual({ password: 'of-app' });
    expect((await vault.list('secret/metadata/shop')).data.keys).toContain('app');
  });

  it('curl reads over the socket, and over TCP with the header that it is asked for', async () => {
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
