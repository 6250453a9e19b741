import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { wantId } from '../../src/agent/output/wants.ts';
import { briefly, loadWith, problemsOf } from './config.helpers.ts';

const BASE = { issuer: 'pki', role: 'shop', commonName: 'shop.svc' };
const load = (certificate: object, more: object = {}) =>
  loadWith({ secrets: { tls: { certificate: { ...BASE, ...certificate }, ...more } } });

async function request(certificate: object) {
  const { secrets } = await load(certificate);
  return secrets.get('tls')?.request;
}

describe('a certificate in the configuration', () => {
  it.each([
    [{ key: 'local' }, { key: { type: 'rsa', bits: 2048 } }],
    [{ key: { local: 'rsa', bits: 4096 } }, { key: { type: 'rsa', bits: 4096 } }],
    [{ key: { local: 'ec' } }, { key: { type: 'ec', curve: 'P-256' } }],
    [{ key: { local: 'ec', curve: 'P-521', reuse: true } }, { key: { type: 'ec', curve: 'P-521', reuse: true } }],
    [{ key: { local: 'ed25519', reuse: false } }, { key: { type: 'ed25519' } }],
    [{ issuerRef: 'next-root' }, { issuerRef: 'next-root' }],
    [{ notAfter: '2030-01-01T00:00:00Z' }, { notAfter: '2030-01-01T00:00:00Z' }],
    [{ otherSans: ['1.3.6.1;utf8:a b'] }, { otherSans: ['1.3.6.1;utf8:a b'] }],
    [{ privateKeyFormat: 'pkcs8' }, { privateKeyFormat: 'pkcs8' }],
    [{ renewBefore: '8h' }, { upkeep: { renewal: { beforeMs: 28_800_000 } } }],
    [{ renewBefore: '12.5%' }, { upkeep: { renewal: { beforeShare: 0.125 } } }],
    [{ clockSkew: '30s', revokeOld: { after: '0s' } }, { upkeep: { clockSkewMs: 30_000, revokeOldAfterMs: 0 } }],
    [{ renewAt: 'Sun 02:00-04:00' }, { upkeep: { renewal: { window: { days: [0], from: 120, to: 240 } } } }],
    [
      { renewAt: 'Fri-Mon,Wed 22:30-01:00 UTC' },
      { upkeep: { renewal: { window: { days: [0, 1, 3, 5, 6], from: 1350, to: 60, utc: true } } } },
    ],
    [
      { renewAt: '00:00-23:59' },
      { upkeep: { renewal: { window: { days: [0, 1, 2, 3, 4, 5, 6], from: 0, to: 1439 } } } },
    ],
  ])('%o becomes %o', async (given, expected) => {
    expect(await request(given)).toEqual({
      kind: 'vault-certificate',
      ...BASE,
      altNames: [],
      ipSans: [],
      uriSans: [],
      ...expected,
    });
  });

  it('is warned of when its end is over', async () => {
    const { warnings } = await load({ notAfter: '2020-01-01T00:00:00Z' });
    expect(warnings).toMatchObject([{ place: 'secrets.tls.certificate.notAfter', seen: 'this time is over' }]);
  });

  it('may have names with a wildcard, an underscore and an @', async () => {
    const altNames = ['*.shop.svc', '_dmarc.shop.svc', 'ops@shop.svc'];
    expect(await request({ altNames })).toMatchObject({ altNames });
  });

  it('may have a URI with a comma where the signing request is made here', async () => {
    const uriSans = ['spiffe://x/a,b'];
    expect(await request({ uriSans, key: 'local' })).toMatchObject({ uriSans });
  });

  it('finds its CA beside the file that names it', async () => {
    const { secrets, files } = await load({ ca: './ca.pem' });
    expect(secrets.get('tls')?.request['caFile']).toBe(`${dirname(files[0] ?? '')}/ca.pem`);
  });

  it('is the same secret with another upkeep, and another one with other names', async () => {
    const idOf = async (certificate: object) => wantId('bao', (await request(certificate)) as never);
    const id = await idOf({});
    expect(await idOf({ renewBefore: '1h', renewAt: '02:00-03:00', clockSkew: '1m', revokeOld: { after: '1m' } })).toBe(
      id,
    );
    for (const other of [{ altNames: ['a.svc'] }, { ttl: '1h' }, { key: 'local' }, { ca: 'x' }, { issuerRef: 'x' }]) {
      expect(await idOf(other)).not.toBe(id);
    }
  });

  it.each([
    [{ key: 'remote' }, 'key'],
    [{ key: { local: 'dsa' } }, 'key'],
    [{ key: { local: 'ec', bits: 2048 } }, 'key.bits'],
    [{ key: { local: 'rsa', curve: 'P-256' } }, 'key.curve'],
    [{ key: { local: 'rsa', bits: 1024 } }, 'key'],
    [{ key: { local: 'ed25519' }, privateKeyFormat: 'traditional' }, 'privateKeyFormat'],
    [{ privateKeyFormat: 'der' }, 'privateKeyFormat'],
    [{ ipSans: ['10.0.0.7', '10.0.0.256'] }, 'ipSans[1]'],
    [{ ipSans: ['::1', '::ffff:10.0.0.7'] }, 'ipSans[1]'],
    [{ uriSans: ['spiffe://x/y', 'spiffe://x/a b'] }, 'uriSans[1]'],
    [{ uriSans: ['spiffe://x/ü'] }, 'uriSans[0]'],
    [{ uriSans: ['shop'] }, 'uriSans[0]'],
    [{ uriSans: ['spiffe://x/a,b'] }, 'uriSans[0]'],
    [{ altNames: ['shop.svc', 'not a name'] }, 'altNames[1]'],
    [{ altNames: ['a.svc,b.svc'] }, 'altNames[0]'],
    [{ altNames: [''] }, 'altNames[0]'],
    [{ otherSans: ['user@example.com'] }, 'otherSans[0]'],
    [{ notAfter: 'tomorrow' }, 'notAfter'],
    [{ notAfter: '2030-01-01T00:00:00Z', ttl: '1h' }, 'notAfter'],
    [{ ttl: '1h', renewBefore: '1h' }, 'renewBefore'],
    [{ renewBefore: '0%' }, 'renewBefore'],
    [{ renewBefore: '100%' }, 'renewBefore'],
    [{ renewBefore: 'soon' }, 'renewBefore'],
    [{ renewBefore: '99999999d' }, 'renewBefore'],
    [{ renewAt: 'Sunday 02:00-04:00' }, 'renewAt'],
    [{ renewAt: '2:00-4:00' }, 'renewAt'],
    [{ renewAt: '02:00-24:00' }, 'renewAt'],
    [{ revokeOld: true }, 'revokeOld'],
    [{ revokeOld: {} }, 'revokeOld.after'],
    [{ issuerRef: 'a/b' }, 'issuerRef'],
  ])('%o is refused', async (given, place) => {
    expect(await briefly(load(given))).toEqual([expect.stringMatching(/^CONFIG_(INVALID|MISSING) /)]);
    expect((await problemsOf(load(given)))[0]?.place).toBe(`secrets.tls.certificate.${place}`);
  });
});

describe('certificateFrom in the configuration', () => {
  it('takes one field for key, certificate and chain by the name bundle, and no other beside it', async () => {
    const { secrets } = await loadWith({ secrets: { tls: { kv: 'secret/tls', certificateFrom: { bundle: 'pem' } } } });
    expect(secrets.get('tls')?.request.certificateFrom).toEqual({ certificate: 'pem', privateKey: 'pem' });
    const both = { bundle: 'pem', privateKey: 'key' };
    expect(await briefly(loadWith({ secrets: { tls: { kv: 'secret/tls', certificateFrom: both } } }))).toEqual([
      'CONFIG_INVALID secrets.tls.certificateFrom.bundle',
    ]);
  });

  const from = { certificate: 'crt', privateKey: 'key' };

  it('stands beside any request', async () => {
    const { secrets } = await loadWith({ secrets: { tls: { kv: 'secret/tls', certificateFrom: from } } });
    expect(secrets.get('tls')?.request).toEqual({ kind: 'vault-kv', path: 'secret/tls', certificateFrom: from });
  });

  it('is refused beside certificate, and without its fields', async () => {
    expect(await briefly(load({}, { certificateFrom: from }))).toEqual(['CONFIG_INVALID secrets.tls.certificateFrom']);
    expect(await briefly(loadWith({ secrets: { tls: { kv: 'secret/tls', certificateFrom: {} } } }))).toEqual([
      'CONFIG_MISSING secrets.tls.certificateFrom.certificate',
      'CONFIG_MISSING secrets.tls.certificateFrom.privateKey',
    ]);
    const half = loadWith({ secrets: { tls: { kv: 'secret/tls', certificateFrom: { certificate: 'crt' } } } });
    expect(await briefly(half)).toEqual(['CONFIG_MISSING secrets.tls.certificateFrom.privateKey']);
  });
});
