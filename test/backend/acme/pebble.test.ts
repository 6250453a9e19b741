import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AcmeBackendConfig } from '../../../src/backend/acme/config/config.ts';
import { Secret } from '../../../src/base/secret.ts';
import { type DnsServer, hasGo, type Pebble, startDns, startPebble } from '../../servers/index.ts';
import { failureOf, fetchNew, useAcme, wantOf } from './acme.helpers.ts';

const HMAC = 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W';
const canBuild = await hasGo();
const acme = useAcme();

describe.skipIf(!canBuild)('a certificate by ACME of a real Pebble (needs go on the PATH)', () => {
  let pebble: Pebble;
  let dns: DnsServer;
  beforeAll(async () => {
    dns = await startDns();
    pebble = await startPebble({ resolver: dns.address, externalKeys: { 'kid-1': HMAC } });
  }, 300_000);
  afterAll(async () => {
    await pebble[Symbol.asyncDispose]();
    await dns[Symbol.asyncDispose]();
  });

  const config = (account: Partial<AcmeBackendConfig['account']> = {}): Parameters<typeof acme.open>[0] => ({
    address: pebble.directory,
    tls: { caFile: pebble.caFile, skipVerify: false },
    http01: { host: '127.0.0.1', port: pebble.httpPort },
    account: {
      keyFile: join(acme.folder(), 'account.key'),
      contact: ['mailto:ops@shop.test'],
      termsAgreed: true,
      eab: { keyId: 'kid-1', hmacKey: Secret.text(HMAC) },
      ...account,
    },
  });

  it('is issued over http-01 for names and an address when it refuses some nonces', async () => {
    const value = await fetchNew(acme.open(config()), wantOf(['shop.test', 'api.shop.test', '127.0.0.1']));
    const { subjectAltName } = new X509Certificate(value.text('certificate'));
    expect(subjectAltName?.split(', ').sort()).toEqual(['DNS:api.shop.test', 'DNS:shop.test', 'IP Address:127.0.0.1']);
    await expect(fetch(`http://127.0.0.1:${pebble.httpPort}/`)).rejects.toThrow(); // the port is closed again
  });

  it('has the profile that was asked for', async () => {
    const value = await fetchNew(acme.open(config()), wantOf(['shop.test'], { profile: 'short' }));
    const { validFromDate, validToDate } = new X509Certificate(value.text('certificate'));
    expect(Math.round((validToDate.getTime() - validFromDate.getTime()) / 86_400_000)).toBe(6);
  });

  it('is replaced when the issuer wants it, which is told of the certificate that it replaces', async () => {
    const opened = acme.open(config());
    const want = wantOf(['shop.test'], {}, 100);
    const first = await fetchNew(opened, want);
    const wanted: number[] = [];
    const watch = (one: typeof opened) =>
      one.backend.source.watch?.(want, {
        changed: () => {},
        written: () => {},
        replaceAt: (atMs) => void wanted.push(atMs),
        covered: () => {},
      });
    const watching = watch(opened);
    await expect.poll(() => wanted.length).toBe(1);
    const { notBeforeMs, notAfterMs } = first.life as { notBeforeMs: number; notAfterMs: number };
    expect(wanted[0]).toBeGreaterThan(notBeforeMs);
    expect(wanted[0]).toBeLessThan(notAfterMs);
    watching?.[Symbol.dispose]();
    await pebble.replaceNow(first.text('certificate'));
    const next = acme.open(config());
    await next.backend.source.restorer?.(want)?.(first.fields);
    const again = watch(next);
    await expect.poll(() => wanted.length).toBe(2);
    expect(wanted[1]).toBeLessThan(Date.parse('2021-01-03'));
    again?.[Symbol.dispose]();
  });

  it('is not issued for an account that is bound to none, or by a wrong key', async () => {
    const account = { keyFile: join(acme.folder(), 'account.key'), contact: [], termsAgreed: true };
    expect(await failureOf(fetchNew(acme.open({ ...config(), account }), wantOf(['shop.test'])))).toMatchObject({
      code: 'AUTH_DENIED',
      seen: 'the issuer takes only accounts that are bound to one of its own',
    });
    const eab = { keyId: 'kid-1', hmacKey: Secret.text(Buffer.from('another').toString('base64url')) };
    expect(await failureOf(fetchNew(acme.open(config({ eab })), wantOf(['shop.test'])))).toMatchObject({
      code: 'AUTH_DENIED',
      place: 'backends.ca',
    });
  });

  it('is not issued before the terms of service are agreed to', async () => {
    const why = await failureOf(fetchNew(acme.open(config({ termsAgreed: false })), wantOf(['shop.test'])));
    expect(why).toMatchObject({ code: 'AUTH_DENIED', hint: 'Read them, and set termsAgreed: true on the backend.' });
    expect(why.seen).toContain('data:text/plain');
  });

  it('says that the server is of an unknown CA, and that another program has the port', async () => {
    const opened = acme.open({ ...config(), tls: { skipVerify: false } });
    expect(await failureOf(fetchNew(opened, wantOf(['shop.test'])))).toMatchObject({ code: 'BACKEND_TLS' });
    const port = Number(new URL(pebble.directory).port);
    const taken = acme.open({ ...config(), http01: { host: '127.0.0.1', port } });
    expect(await failureOf(fetchNew(taken, wantOf(['shop.test'])))).toMatchObject({
      code: 'ACME_CHALLENGE_FAILED',
      seen: `cannot listen on 127.0.0.1:${port} for http-01 (EADDRINUSE)`,
    });
  });
});
