import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dnsProgram } from '../backend/acme/acme.helpers.ts';
import { type DnsServer, enableAcme, enablePki, type OpenBao, startDns, startOpenBao } from '../servers/index.ts';
import { useScene } from './openbao.helpers.ts';

const scene = useScene();
let bao: OpenBao;
let dns: DnsServer;
beforeAll(async () => {
  [bao, dns] = await Promise.all([startOpenBao(), startDns()]);
  await enablePki(bao, { role: 'shop', allowedDomains: ['shop.test'], maxTtl: '1h' });
  await enableAcme(bao, { resolver: dns.address });
});
afterAll(async () => {
  await dns[Symbol.asyncDispose]();
  await bao.stop();
});

async function issued(): Promise<number> {
  const { data } = await bao.api<{ keys: string[] }>('GET', 'pki/certs?list=true');
  return data.keys.length;
}

async function setUp(names: readonly string[], check = {}) {
  const place = await scene.place();
  const app = await scene.application(place.dir);
  const program = dnsProgram(dns, place.dir);
  const config = await place.config({
    log: { level: 'trace' },
    backends: {
      ca: {
        kind: 'acme',
        directory: `${bao.address}/v1/pki/roles/shop/acme/directory`,
        accountKeyFile: './account.key',
        dns01: { command: { argv: [program] } },
      },
    },
    secrets: { tls: { acme: { names } } },
    outputs: {
      shop: {
        dir: './out',
        files: { 'tls.pem': { content: '{{pem tls.certificate tls.caChain tls.privateKey}}\n' } },
        reload: [{ signal: { name: 'SIGHUP', pidFile: app.pidFile } }],
        ...check,
      },
    },
  });
  return { place, app, config, pem: () => readFileSync(join(place.dir, 'out/tls.pem'), 'utf8') };
}

describe('a certificate by ACME, from order to file', () => {
  it('is published with its key, and six restarts order nothing, write nothing and reload nothing', async () => {
    const { place, app, config, pem } = await setUp(['shop.test', '*.shop.test']);
    const first = await scene.init(config);
    expect(first.status).toBe(0);
    const published = pem();
    const x509 = new X509Certificate(published);
    expect(x509.checkPrivateKey(createPrivateKey(published))).toBe(true);
    expect(x509.subjectAltName).toBe('DNS:shop.test, DNS:*.shop.test');
    const before = [await issued(), statSync(join(place.dir, 'out/tls.pem')).ino];
    for (let i = 0; i < 3; i++) {
      expect((await scene.init(config)).status).toBe(0);
      const agent = scene.run(config);
      await agent.waitFor('output-unchanged');
      expect(await agent.stop()).toBe(0);
      expect(agent.output()).not.toContain('NewOrder');
    }
    expect([await issued(), statSync(join(place.dir, 'out/tls.pem')).ino]).toEqual(before);
    expect([pem(), app.reloads()]).toEqual([published, 0]);
  });

  it('that is not published yet is taken up by the next starts, and not ordered again', async () => {
    const gate = { check: { command: { argv: ['test', '-e', '{dir}/../../good'] } } };
    const { place, config, pem } = await setUp(['shop.test'], gate);
    const before = await issued();
    for (let i = 0; i < 3; i++) {
      const refused = await scene.init(config);
      expect([refused.status, refused.stderr()]).toEqual([1, expect.stringContaining('OUTPUT_CHECK_FAILED')]);
    }
    expect(await issued()).toBe(before + 1);
    writeFileSync(join(place.dir, 'good'), '');
    expect((await scene.init(config)).status).toBe(0);
    const published = pem();
    expect(new X509Certificate(published).checkPrivateKey(createPrivateKey(published))).toBe(true);
    expect(await issued()).toBe(before + 1);
    const orders = join(place.dir, 'account.key.orders');
    const [file = ''] = readdirSync(orders);
    const sealed = readFileSync(join(orders, file), 'latin1');
    expect([statSync(orders).mode & 0o777, statSync(join(orders, file)).mode & 0o777]).toEqual([0o700, 0o600]);
    for (const line of published.split('\n').filter((one) => one !== '')) expect(sealed).not.toContain(line);
  });

  it('tells why it is refused in the words of the issuer, at once', async () => {
    const { config } = await setUp(['evil.example']);
    const refused = await scene.init(config);
    expect(refused.status).toBe(1);
    expect(refused.stderr()).toContain('role (shop) will not issue certificate for name evil.example');
    expect(refused.stderr()).toContain('CERTIFICATE_REFUSED');
  });

  it('shows neither the key of the account nor its own, whatever is logged', async () => {
    const { place, config, pem } = await setUp(['shop.test']);
    const env = { DEBUG: '*', NODE_DEBUG: 'http,net,tls' };
    const agent = await scene.init(config, '20s', { env });
    expect(agent.status).toBe(0);
    const keys = [
      readFileSync(join(place.dir, 'account.key'), 'utf8'),
      pem().slice(pem().indexOf('-----BEGIN PRIVATE')),
    ];
    const lines = keys.flatMap((key) => key.split('\n').filter((line) => line.length > 20 && !line.startsWith('-')));
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) expect(agent.output()).not.toContain(line);
  });
});
