import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuthority, enablePki, type KeyPair, type OpenBao, startOpenBao, writePolicy } from '../servers/index.ts';
import { eventually } from './agent.helpers.ts';
import { useScene } from './openbao.helpers.ts';

const bootstrapCa = createAuthority('bootstrap CA');
const scene = useScene();

let bao: OpenBao;
beforeAll(async () => {
  bao = await startOpenBao({ tls: true });
  await enablePki(bao, { role: 'agents', allowedDomains: ['agents.test'] });
  await writePolicy(bao, 'agents', 'path "pki/sign/agents" { capabilities = ["create", "update"] }');
  const { data } = await bao.api<{ certificate: string }>('GET', 'pki/cert/ca');
  await bao.api('POST', 'sys/auth/cert', { type: 'cert' });
  for (const [name, certificate] of [
    ['bootstrap', bootstrapCa.certificatePem],
    ['own', data.certificate],
  ]) {
    const token = { token_policies: ['agents'], token_ttl: '4s' };
    await bao.api('PUT', `auth/cert/certs/${name}`, { certificate, ...token });
  }
});
afterAll(() => bao.stop());

/** The serial numbers of the certificates that the tokens of the server were given for, as Node writes them. */
async function loggedIn(): Promise<readonly string[]> {
  const { data } = await bao.api<{ keys: string[] }>('LIST', 'auth/token/accessors');
  const serials = await Promise.all(
    data.keys.map(async (accessor) => {
      const found = await bao
        .api<{ meta: { serial_number?: string } | null }>('POST', 'auth/token/lookup-accessor', { accessor })
        .catch(() => undefined);
      const serial = found?.data.meta?.serial_number;
      return serial === undefined ? [] : [BigInt(serial).toString(16).toUpperCase()];
    }),
  );
  return serials.flat();
}

const serialOf = (pem: string | Buffer) =>
  BigInt(`0x${new X509Certificate(pem).serialNumber}`)
    .toString(16)
    .toUpperCase();

describe('a login with the pair that Pannier publishes itself', () => {
  it('begins with a bootstrap pair, follows its own through rotations, and needs the first one no more', async () => {
    const place = await scene.place();
    const at = (name: string) => join(place.dir, name);
    const put = ({ certificatePem, keyPem }: KeyPair) => {
      writeFileSync(at('first.crt'), certificatePem);
      writeFileSync(at('first.key'), keyPem);
    };
    const first = bootstrapCa.issue({ commonName: 'bootstrap' });
    put(first);
    const config = await place.config({
      log: { level: 'debug' },
      backends: {
        bao: {
          kind: 'vault',
          address: bao.tls.address,
          tls: {
            caFile: bao.tls.caFile,
            certFile: './identity/tls.crt',
            keyFile: './identity/tls.key',
            bootstrap: { certFile: './first.crt', keyFile: './first.key' },
          },
          auth: { method: 'cert' },
        },
      },
      secrets: {
        identity: {
          certificate: {
            issuer: 'pki',
            role: 'agents',
            commonName: 'shop.agents.test',
            key: { local: 'ec' },
            ttl: '1h',
          },
        },
      },
      outputs: {
        identity: {
          dir: './identity',
          files: {
            'tls.crt': { content: '{{pem identity.certificate identity.caChain}}\n' },
            'tls.key': { content: '{{pem identity.privateKey}}\n' },
          },
        },
      },
      api: { listeners: [{ socket: './api.sock' }] },
    });
    const published = () => serialOf(readFileSync(at('identity/tls.crt')));

    const agent = scene.run(config);
    await agent.waitFor('output-published');
    expect(await loggedIn()).toContain(serialOf(first.certificatePem));
    await eventually(async () => expect(await loggedIn()).toContain(published()));
    for (let rotation = 1; rotation <= 2; rotation++) {
      const before = published();
      expect(await post(at('api.sock'), '/v1/secrets/identity/refresh')).toBe(200);
      await agent.waitFor('output-published', { count: rotation + 1 });
      expect(published()).not.toBe(before);
      await eventually(async () => expect(await loggedIn()).toContain(published()));
    }
    expect(await agent.stop()).toBe(0);

    put(bootstrapCa.issue({ commonName: 'bootstrap', lifetimeMs: -60_000 }));
    const kept = published();
    const next = scene.run(config);
    await next.waitFor('output-unchanged');
    expect(published()).toBe(kept);
    expect(await post(at('api.sock'), '/v1/secrets/identity/refresh')).toBe(200);
    expect(await loggedIn()).toContain(kept);
    expect(await next.stop()).toBe(0);

    rmSync(at('first.crt'));
    rmSync(at('first.key'));
    expect((await scene.init(config)).status).toBe(0);

    rmSync(at('identity'), { recursive: true });
    const refused = await scene.init(config, '3s');
    expect([refused.status, existsSync(at('identity/tls.crt'))]).toEqual([3, false]);
    expect(refused.output()).toContain('BACKEND_TLS');
    expect(refused.output()).toContain('first.crt');
  });
});

function post(socketPath: string, path: string): Promise<number | undefined> {
  return new Promise((done, failed) => {
    const sent = request({ socketPath, path, method: 'POST' }, (answer) => {
      answer.resume().on('end', () => done(answer.statusCode));
    });
    sent.on('error', failed).end();
  });
}
