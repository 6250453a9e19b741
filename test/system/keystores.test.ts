import { once } from 'node:events';
import { readFileSync, readlinkSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { createAuthority } from '../servers/index.ts';
import { baoOf, useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld();

const PASSWORD = 'c0rrect horse';

/** Serves TLS with a keystore to a client that trusts `ca`; resolves to the name in the certificate. */
async function handshake(pfx: Buffer, ca: string): Promise<string | undefined> {
  const server = createServer({ pfx, passphrase: PASSWORD }, (socket) => socket.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect({ port, host: '127.0.0.1', servername: 'shop.svc', ca });
  try {
    await once(client, 'secureConnect');
    return client.getPeerX509Certificate()?.subject;
  } finally {
    client.destroy();
    server.close();
  }
}

describe('keystores and trust bundles of a real OpenBao', () => {
  it('a new authority reaches truststores, and the keystore beside them is not published again', async () => {
    await world().putSecret('store', { password: PASSWORD });
    const { dir, config } = await scene.place();
    const file = await config({
      backends: { bao: baoOf(world()) },
      secrets: {
        tls: { certificate: { issuer: 'pki', role: 'shop', commonName: 'shop.svc', ttl: '24h' } },
        trust: { trustBundle: { issuer: 'pki' }, refresh: '200ms' },
        store: { kv: 'secret/shop/store', refresh: '200ms' },
      },
      outputs: {
        server: {
          dir: join(dir, 'server'),
          files: { 'keystore.p12': { format: 'pkcs12', from: 'tls', password: 'store.password' } },
        },
        client: {
          dir: join(dir, 'client'),
          files: {
            'ca.pem': { format: 'pem', from: 'trust', parts: 'ca' },
            'truststore.p12': { format: 'truststore', from: 'trust', password: 'store.password' },
          },
        },
      },
    });
    const agent = scene.run(file);
    await agent.waitFor('output-published', { fits: ({ output }) => output === 'client' });
    await agent.waitFor('output-published', { fits: ({ output }) => output === 'server' });
    const keystore = readFileSync(join(dir, 'server/keystore.p12'));
    const caOf = () => readFileSync(join(dir, 'client/ca.pem'), 'utf8');
    const before = readFileSync(join(dir, 'client/truststore.p12'));
    expect(await handshake(keystore, caOf())).toBe('CN=shop.svc');

    await world().bao.api('POST', 'pki/root/rotate/internal', { common_name: 'Next', key_type: 'ec', key_bits: 256 });
    await agent.waitFor('output-published', {
      fits: ({ output, generation }) => output === 'client' && generation === 2,
    });
    expect(caOf().match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(readFileSync(join(dir, 'client/truststore.p12'))).not.toEqual(before);
    expect(await handshake(readFileSync(join(dir, 'server/keystore.p12')), caOf())).toBe('CN=shop.svc');
    expect(readlinkSync(join(dir, 'server/..data'))).toBe('..g1');
  });

  it('a certificate in KV with any field names becomes a keystore, and a wrong key leaves the last one', async () => {
    const root = createAuthority('Root');
    const [pair, other] = [
      root.issue({ commonName: 'shop.svc', altNames: ['shop.svc'] }),
      root.issue({ commonName: 'x' }),
    ];
    await world().putSecret('store', { password: PASSWORD });
    const stored = { 'tls.crt': `${pair.certificatePem}${root.certificatePem}`, note: 'of the shop' };
    await world().putSecret('pair', { ...stored, 'tls.key': pair.keyPem });
    const { dir, config } = await scene.place();
    const file = await config({
      backends: { bao: baoOf(world()) },
      secrets: {
        pair: { kv: 'secret/shop/pair', refresh: '200ms' },
        store: { kv: 'secret/shop/store', refresh: '200ms' },
      },
      outputs: {
        o: {
          dir: join(dir, 'o'),
          files: { 'keystore.p12': { format: 'pkcs12', from: 'pair', password: 'store.password' } },
        },
      },
    });
    const agent = scene.run(file);
    await agent.waitFor('output-published');
    const good = readFileSync(join(dir, 'o/keystore.p12'));
    expect(await handshake(good, root.certificatePem)).toBe('CN=shop.svc');

    await world().putSecret('pair', { ...stored, 'tls.key': other.keyPem });
    const failed = await agent.waitFor('output-failed');
    expect(failed).toMatchObject({
      code: 'RENDER_BAD_CERTIFICATE',
      seen: 'pair: the private key belongs to none of the certificates',
    });
    expect(readFileSync(join(dir, 'o/keystore.p12'))).toEqual(good);

    // The same secrets again: equal bytes, so nothing is published.
    await world().putSecret('pair', { ...stored, 'tls.key': pair.keyPem, note: 'mended' });
    await world().putSecret('store', { password: PASSWORD, more: 'x' });
    await agent.waitFor('secret-changed', { fits: ({ secrets }) => String(secrets) === 'store', count: 2 });
    await agent.stop();
    expect(agent.facts('output-published')).toHaveLength(1);
    expect(readlinkSync(join(dir, 'o/..data'))).toBe('..g1');
  });
});
