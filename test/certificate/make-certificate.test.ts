import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { makeServerCertificate } from '../../src/certificate/make-certificate.ts';

const DAY_MS = 86_400_000;
const options = { name: 'Pannier injector a', dnsNames: ['injector.pannier.svc', 'b.pannier.svc'], lifeMs: DAY_MS };

describe('a certificate of a server that is made here', () => {
  it('is issued by its authority for all names, and lives as long as it is told', async () => {
    const nowMs = Date.UTC(2026, 10, 30, 12, 0, 0);
    const { certificate, key, ca } = await makeServerCertificate({ ...options, nowMs });
    const [leaf, authority] = [new X509Certificate(certificate), new X509Certificate(ca)];
    expect(leaf.checkIssued(authority)).toBe(true);
    expect(leaf.verify(authority.publicKey)).toBe(true);
    expect(authority.verify(authority.publicKey)).toBe(true);
    expect([authority.ca, leaf.ca]).toEqual([true, false]);
    expect(leaf.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(leaf.subjectAltName).toBe('DNS:injector.pannier.svc, DNS:b.pannier.svc');
    expect(Date.parse(leaf.validTo)).toBe(nowMs + DAY_MS);
    expect(Date.parse(leaf.validFrom)).toBeLessThan(nowMs);
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  });

  it('is trusted in a handshake by a client that has its authority among others of one name', async () => {
    const nowMs = Date.now();
    const [before, made] = await Promise.all([
      makeServerCertificate({ ...options, nowMs }),
      makeServerCertificate({ ...options, nowMs }),
    ]);
    const server = createServer({ cert: made.certificate, key: made.key }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const to = { host: '127.0.0.1', port, servername: 'injector.pannier.svc' };
    const trusting = connect({ ...to, ca: [before.ca, made.ca] });
    await once(trusting, 'secureConnect');
    expect(trusting.authorized).toBe(true);
    trusting.destroy();
    const other = connect({ ...to, ca: [before.ca] });
    await expect(once(other, 'secureConnect')).rejects.toThrow();
    server.close();
  });
});
