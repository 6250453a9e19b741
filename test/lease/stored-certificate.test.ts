import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Want } from '../../src/backend/backend.ts';
import type { Secret } from '../../src/base/secret.ts';
import type { StoredCertificate } from '../../src/config/config.ts';
import { settle } from '../fake-clock.ts';
import { createAuthority } from '../servers/certificates.ts';
import { leaseWorld } from './lease.helpers.ts';

const HOUR_MS = 3_600_000;
const root = createAuthority('root');
const middle = root.subordinate('middle');
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pannier-stored-'));
  await writeFile(join(folder, 'root.pem'), root.certificatePem);
  await writeFile(join(folder, 'other.pem'), createAuthority('other').certificatePem);
});
afterAll(() => rm(folder, { recursive: true }));

function world(from: Partial<StoredCertificate> = {}) {
  const parts = leaseWorld();
  const { backend, clock, manager, reconcile, entry } = parts;
  clock.jumpWall(Date.now() - clock.wallMs());
  backend.fetchesAgain = true;
  const certificateFrom = { certificate: 'crt', privateKey: 'key', ...from };
  const request = { kind: 'file', key: 'tls', certificateFrom };
  const want: Want = {
    id: 'tls',
    backend: 'memory',
    request,
    place: 'secrets.tls',
    refreshMs: 60_000,
    optional: false,
  };
  return {
    ...parts,
    begin: async () => {
      reconcile(new Map([['tls', want]]));
      await whenIdle();
    },
    refresh: async () => {
      const refreshed = manager.refresh('tls');
      await settle();
      await refreshed;
    },
    seen: () => {
      const now = entry('tls');
      return now !== undefined && 'why' in now ? now.why?.seen : undefined;
    },
  };
  async function whenIdle() {
    // The first one loads code and reads files.
    await expect.poll(() => manager.isBusy('tls'), { timeout: 10_000 }).toBe(false);
  }
}

describe('a certificate that a backend stores', () => {
  it('has the fields of an issued one, with its chain in order, and is read at refresh until it ends', async () => {
    const { backend, clock, begin, entry, state } = world({ chain: 'ca', caFile: join(folder, 'root.pem') });
    const { certificatePem, keyPem } = middle.issue({ commonName: 'a', altNames: ['a.svc'], lifetimeMs: HOUR_MS });
    backend.set('tls', {
      crt: certificatePem,
      key: keyPem,
      ca: root.certificatePem + middle.certificatePem,
      note: 'x',
    });
    await begin();
    const now = entry('tls');
    if (now === undefined || now.state !== 'fresh') throw new Error('no value');
    const { fields, life } = now.value;
    expect([...fields.keys()]).toEqual([
      'certificate',
      'privateKey',
      'privateKeyType',
      'issuingCa',
      'caChain',
      'serialNumber',
      'expiration',
    ]);
    const chain = (fields.get('caChain') as readonly Secret[]).map(
      (one) => new X509Certificate(one.exposeText('file')),
    );
    expect(chain.map(({ subject }) => subject)).toEqual(['CN=middle', 'CN=root']);
    expect(life).toMatchObject({ kind: 'certificate', stored: true });
    await clock.advance(30 * 60_000);
    expect(backend.fetchesOf('tls')).toBeGreaterThanOrEqual(27);
    expect(entry('tls')).toMatchObject({ state: 'fresh', valueNumber: now.valueNumber }); // unchanged goes no further
    await clock.advance(31 * 60_000);
    expect(state('tls')).toBe('expired');
  });

  it('may have certificate, chain and key in one field, with any line ends', async () => {
    const { backend, begin, field } = world({ privateKey: 'crt' });
    const { certificatePem, keyPem } = middle.issue({ commonName: 'a' });
    const all = [root.certificatePem, keyPem, certificatePem, middle.certificatePem].join('');
    backend.set('tls', { crt: all.replaceAll('\n', '\\n') });
    await begin();
    expect(field('tls', 'certificate')).toBe(certificatePem.trimEnd());
    expect(field('tls', 'privateKey')).toBe(keyPem.trimEnd());
    expect(field('tls', 'issuingCa')).toBe(middle.certificatePem.trimEnd());
  });

  it.each([
    ['on one line each', (pem: string) => pem.replaceAll('\n', '')],
    ['on one line each, with spaces', (pem: string) => pem.replaceAll('\n', ' ')],
  ])('may have its PEM %s', async (_, written) => {
    const { backend, begin, field, state } = world({ chain: 'ca' });
    const { certificatePem, keyPem } = middle.issue({ commonName: 'a' });
    const [crt, key, ca] = [certificatePem, keyPem, middle.certificatePem].map(written) as [string, string, string];
    backend.set('tls', { crt, key, ca });
    await begin();
    expect([state('tls'), field('tls', 'certificate')]).toEqual(['fresh', certificatePem.trimEnd()]);
    expect(field('tls', 'privateKey')).toBe(keyPem.trimEnd());
    expect(field('tls', 'issuingCa')).toBe(middle.certificatePem.trimEnd());
  });

  it('may have a field of the chain that is empty', async () => {
    const { backend, begin, state } = world({ chain: 'ca' });
    const { certificatePem, keyPem } = root.issue({ commonName: 'a' });
    backend.set('tls', { crt: certificatePem, key: keyPem, ca: '' });
    await begin();
    expect(state('tls')).toBe('fresh');
  });

  it('that does not fit together is not taken: the last good one stays, stale with the reason', async () => {
    const { backend, begin, refresh, state, field, seen } = world();
    const [one, other] = ['a', 'b'].map((commonName) => root.issue({ commonName }));
    backend.set('tls', { crt: one?.certificatePem ?? '', key: one?.keyPem ?? '' });
    await begin();
    backend.set('tls', { crt: other?.certificatePem ?? '', key: one?.keyPem ?? '' });
    await refresh();
    expect([state('tls'), seen()]).toEqual(['stale', 'the private key does not belong to the certificate']);
    expect(field('tls', 'certificate')).toBe(one?.certificatePem.trimEnd());
    backend.set('tls', { crt: other?.certificatePem ?? '', key: other?.keyPem ?? '' });
    await refresh();
    expect([state('tls'), field('tls', 'certificate')]).toEqual(['fresh', other?.certificatePem.trimEnd()]);
  });

  it.each<[string, Partial<StoredCertificate>, object, string]>([
    ['a field that is missing', { privateKey: 'keyy' }, {}, 'there is no field keyy; did you mean "key"?'],
    ['an unknown CA', { caFile: '/other.pem' }, {}, 'the certificate was issued by an unknown CA'],
    ['a CA file that is missing', { caFile: '/none.pem' }, {}, 'cannot be read (ENOENT)'],
    ['text that is no certificate', {}, { crt: 'CANARY' }, 'the certificate cannot be read'],
    ['a certificate that has ended', {}, { ended: true }, 'the certificate ended 1h'],
  ])('with %s is absent with the reason', async (_, from, more, reason) => {
    const { caFile } = from;
    const { backend, begin, seen } = world(caFile === undefined ? from : { ...from, caFile: folder + caFile });
    const { certificatePem, keyPem } = root.issue({
      commonName: 'a',
      lifetimeMs: 'ended' in more ? -HOUR_MS : HOUR_MS,
    });
    backend.set('tls', { crt: certificatePem, key: keyPem, ...more } as Record<string, string>);
    if ('ended' in more) backend.set('tls', { crt: certificatePem, key: keyPem });
    await begin();
    expect(seen()).toContain(reason);
    expect(seen()).not.toContain('CANARY');
  });
});
