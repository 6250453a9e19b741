import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { enableCertAuth, type OpenBao, startOpenBao, writePolicy } from '../../servers/index.ts';
import { startProxy } from './proxy.helpers.ts';

let bao: OpenBao;
beforeAll(async () => {
  bao = await startOpenBao({ tls: true });
  await writePolicy(bao, 'shop', 'path "secret/*" { capabilities = ["read"] }');
  await enableCertAuth(bao, { role: 'shop', policies: ['shop'], tokenTtl: '1h' });
});
afterAll(() => bao.stop());

function proxied(proxy: Parameters<typeof startProxy>[0]['proxy'], server: OpenBao = bao) {
  const { address, caFile, certFile, keyFile } = server.tls;
  const tls = { caFile, certFile, keyFile, skipVerify: false };
  return startProxy({ address, auth: { method: 'cert' }, proxy: proxy ?? {}, backend: { tls } });
}

describe("the agent's client certificate", () => {
  it.each([false, true, 'force'] as const)(
    'logs no client of the proxy in (useAutoAuthToken: %s)',
    async (useAutoAuthToken) => {
      const proxy = await proxied({ useAutoAuthToken });
      if (useAutoAuthToken !== false) expect((await proxy.ask('GET', '/v1/auth/token/lookup-self')).status).toBe(200);
      for (const body of [{}, { name: 'shop' }]) {
        const got = await proxy.ask('POST', '/v1/auth/cert/login', { body });
        expect([got.status, got.json.auth]).toEqual([400, undefined]);
      }
    },
  );

  it('is used for clients only when the configuration says so', async () => {
    const proxy = await proxied({ useAutoAuthToken: false, useClientCertificate: true });
    const got = await proxy.ask('POST', '/v1/auth/cert/login', { body: {} });
    expect(got.json.auth.policies).toContain('shop');
  });

  it('renews the login that it made for a client, where clients may use it', async () => {
    const renewed = async (useClientCertificate: boolean) => {
      const proxy = await proxied({ useAutoAuthToken: true, useClientCertificate });
      return (await proxy.ask('POST', '/v1/auth/token/renew-self', { body: {} })).status;
    };
    expect([await renewed(false), await renewed(true)]).toEqual([400, 200]);
  });

  it('may be required by the server: then a client without it is told what to configure', async () => {
    const server = await startOpenBao({ tls: { requireClientCert: true } });
    onTestFinished(() => server.stop());
    const without = await proxied({ useAutoAuthToken: false }, server);
    const refused = await without.ask('GET', '/v1/sys/health');
    expect([refused.status, refused.text]).toEqual([502, expect.stringContaining('proxy.useClientCertificate: true')]);
    const proxy = await proxied({ useAutoAuthToken: false, useClientCertificate: true }, server);
    expect((await proxy.ask('GET', '/v1/sys/health')).status).toBe(200);
  });
});
