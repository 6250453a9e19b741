import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import type { ProxyConfig } from '../../../src/config/config.ts';
import { reply, startFaultServer } from '../../faults/fault-server.ts';
import { ensureOpenBao, findFreePort } from '../../servers/index.ts';
import { ServerProcess } from '../../servers/server-process.ts';
import { eventually } from '../../system/agent.helpers.ts';
import { startProxy } from './proxy.helpers.ts';

/** Starts OpenBao with a seal that needs a key; it is not initialised yet. */
async function startUninitialised() {
  const dir = await mkdtemp(join(tmpdir(), 'pannier-sealed-'));
  const port = await findFreePort();
  const address = `http://127.0.0.1:${port}`;
  const settings = { storage: { inmem: {} }, listener: { tcp: { address: `127.0.0.1:${port}`, tls_disable: true } } };
  const config = join(dir, 'bao.json');
  await writeFile(config, JSON.stringify({ ...settings, api_addr: address }));
  const server = new ServerProcess({
    name: 'OpenBao',
    command: await ensureOpenBao(),
    args: ['server', `-config=${config}`],
    env: { HOME: dir, PATH: process.env['PATH'] ?? '' },
    logFile: join(dir, 'log'),
    dir,
    endSignal: 'SIGKILL',
  });
  onTestFinished(() => server.end('SIGKILL'));
  await server.waitUntil(() =>
    fetch(`${address}/v1/sys/seal-status`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return address;
}

describe('a server without a login for the agent', () => {
  it.each([true, 'force'] as const)(
    'is initialised, unsealed and set up through the proxy (useAutoAuthToken: %s)',
    async (useAutoAuthToken) => {
      const address = await startUninitialised();
      const auth = { method: 'userpass', username: 'u', passwordFile: '/dev/null' } as const;
      const proxy = await startProxy({ address, auth, proxy: { useAutoAuthToken }, backend: { timeoutMs: 60_000 } });
      expect((await proxy.ask('GET', '/v1/secret/x')).status).toBe(503);
      const init = await proxy.ask('PUT', '/v1/sys/init', { body: { secret_shares: 1, secret_threshold: 1 } });
      expect(init.status).toBe(200);
      const [key] = init.json.keys;
      const unsealed = await proxy.ask('PUT', '/v1/sys/unseal', { body: { key } });
      expect([unsealed.status, unsealed.json.sealed]).toEqual([200, false]);
      expect((await proxy.ask('GET', '/v1/secret/x')).status).toBe(503);
      const bogus = await proxy.ask('POST', '/v1/auth/userpass/login/other', { body: { password: 'p' } });
      expect([bogus.status, bogus.text]).toEqual([403, expect.stringContaining('permission denied')]);
      const lookedUp = await proxy.ask('POST', '/v1/sys/wrapping/lookup', { body: { token: 's.none' } });
      expect([lookedUp.status, lookedUp.text]).toEqual([400, expect.stringContaining('wrapping token')]);
      if (useAutoAuthToken === 'force') return;
      const headers = { 'X-Vault-Token': init.json.root_token };
      expect((await proxy.ask('GET', '/v1/sys/mounts', { headers })).status).toBe(200);
    },
  );

  it.each([
    ['GET', 'sys/health', 'never'],
    ['PUT', 'sys/unseal', 'never'],
    ['POST', 'sys/storage/raft/join', 'never'],
    ['POST', 'sys/mfa/validate', 'never'],
    ['PUT', 'sys/generate-root/attempt', 'takes one along'],
    ['PUT', 'sys/rekey/update', 'takes one along'],
    ['POST', 'auth/kubernetes/login', 'takes one along'],
    ['POST', 'team/auth/a/b/login/u', 'takes one along'],
    ['GET', 'auth/oidc/oidc/callback', 'takes one along'],
    ['GET', 'auth/approle/role/login', 'always'],
    ['GET', 'secret/data/sys/unseal', 'always'],
    ['PUT', 'sys/seal', 'always'],
    ['POST', 'sys/wrapping/unwrap', 'always'],
  ])("%s %s needs the agent's login: %s", async (method, path, own) => {
    const token = 's.own';
    const isReady = { yes: false };
    const server = await startFaultServer((asked, socket) => {
      if (asked.path !== '/v1/auth/token/lookup-self') return reply(200, '{}')(asked, socket);
      return isReady.yes
        ? reply(200, JSON.stringify({ data: { id: token, ttl: 0 } }))(asked, socket)
        : reply(503, '{"errors":["Vault is sealed"]}')(asked, socket);
    });
    onTestFinished(() => server[Symbol.asyncDispose]());
    const auth = { method: 'token', token: Secret.text(token) } as const;
    const backend = { timeoutMs: 60_000 };
    const proxy = await startProxy({ address: server.address, auth, backend, random: () => 0 });
    const tokens = () =>
      server.requests.filter((one) => one.path === `/v1/${path}`).map(({ headers }) => headers['x-vault-token'] ?? '');
    expect((await proxy.ask(method, `/v1/${path}`)).status).toBe(own === 'always' ? 503 : 200);
    expect(tokens()).toEqual(own === 'always' ? [] : ['']);
    isReady.yes = true;
    await eventually(() => expect(proxy.facts.some(({ kind }) => kind === 'login-made')).toBe(true));
    expect((await proxy.ask(method, `/v1/${path}`)).status).toBe(200);
    expect(tokens().at(-1)).toBe(own === 'never' ? '' : token);
  });
});

describe('the login that the proxy lends', () => {
  const started = async (useAutoAuthToken: ProxyConfig['useAutoAuthToken']) => {
    const server = await startFaultServer(reply(200, JSON.stringify({ data: { id: 's.own', ttl: 0 } })));
    onTestFinished(() => server[Symbol.asyncDispose]());
    const auth = { method: 'token', token: Secret.text('s.own') } as const;
    return { server, proxy: await startProxy({ address: server.address, auth, proxy: { useAutoAuthToken } }) };
  };

  it.each([true, 'force'] as const)('is made before the first client connects (useAutoAuthToken: %s)', async (use) => {
    const { proxy } = await started(use);
    await eventually(() => expect(proxy.facts.map(({ kind }) => kind)).toContain('login-made'));
    expect(proxy.backend.login?.()).toMatchObject({ state: 'live', isUsable: true });
  });

  it('is not made when the proxy lends none', async () => {
    const { proxy, server } = await started(false);
    expect((await proxy.ask('GET', '/v1/x')).status).toBe(200);
    expect(server.requests.map(({ path }) => path)).toEqual(['/v1/x']);
    expect(proxy.backend.login?.()).toMatchObject({ state: 'out' });
  });
});
