import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Fetched, Watching } from '../../../../src/backend/backend.ts';
import type { CertificateRequest } from '../../../../src/backend/vault/config/request.ts';
import { openVaultBackend } from '../../../../src/backend/vault/open.ts';
import { systemClock } from '../../../../src/base/clock.ts';
import type { Fact } from '../../../../src/base/fact.ts';
import { Secret } from '../../../../src/base/secret.ts';
import { setUrgency, URGENCY } from '../../../../src/base/urgency.ts';
import type { Fields } from '../../../../src/base/value.ts';
import { type OpenBao, startOpenBao } from '../../../servers/index.ts';
import { config, failureOf, held, never, plain, wantOf } from './vault.helpers.ts';

const DAY_MS = 86_400_000;
let bao: OpenBao;
let folder: string;
const roots = new Map<string, string>();

/** A mount with a root, and with `from` an intermediate that the root of that mount has signed. */
async function mountPki(mount: string, from?: string): Promise<void> {
  await bao.api('POST', `sys/mounts/${mount}`, { type: 'pki', config: { max_lease_ttl: '87600h' } });
  const subject = { common_name: `test ${mount}`, ttl: '43800h', key_type: 'ec', key_bits: 256 };
  if (from === undefined) {
    const { data } = await bao.api<{ certificate: string }>('POST', `${mount}/root/generate/internal`, subject);
    roots.set(mount, data.certificate);
  } else {
    const asked = await bao.api<{ csr: string }>('POST', `${mount}/intermediate/generate/internal`, subject);
    const signing = { csr: asked.data.csr, format: 'pem_bundle', ttl: '26280h' };
    const signed = await bao.api<{ certificate: string }>('POST', `${from}/root/sign-intermediate`, signing);
    await bao.api('POST', `${mount}/intermediate/set-signed`, { certificate: signed.data.certificate });
  }
  const names = { allow_any_name: true, allow_ip_sans: true, allowed_uri_sans: '*', allowed_other_sans: '*' };
  for (const [role, key_type] of Object.entries({ any: 'any', ec: 'ec', rsa: 'rsa', ed25519: 'ed25519' })) {
    const bits = key_type === 'ec' ? { key_bits: 256 } : {};
    await bao.api('PUT', `${mount}/roles/${role}`, { ...names, key_type, ...bits, max_ttl: '720h' });
  }
  const narrow = { allowed_domains: ['shop.svc'], allow_subdomains: true, key_type: 'ec', key_bits: 256 };
  await bao.api('PUT', `${mount}/roles/narrow`, narrow);
}

beforeAll(async () => {
  bao = await startOpenBao();
  folder = await mkdtemp(join(tmpdir(), 'pannier-ca-'));
  await mountPki('pki');
  await mountPki('middle', 'pki');
  await mountPki('leafs', 'middle');
  for (const [name, pem] of roots) await writeFile(join(folder, `${name}.pem`), `${pem}\n`);
});
afterAll(async () => {
  await bao.stop();
  await rm(folder, { recursive: true });
});

function connect() {
  const facts: Fact[] = [];
  const auth = { method: 'token', mount: 'token', token: Secret.text(bao.rootToken), revokeOnExit: false } as const;
  const backend = openVaultBackend({ ...config, address: bao.address, auth } as never, {
    clock: systemClock,
    random: Math.random,
    emit: (fact) => void facts.push(fact),
    env: {},
    version: '0.0.0',
    kept: new Map(),
  });
  return {
    fetch: (request: CertificateRequest, last?: Fetched, signal = never) =>
      backend.source.fetch(wantOf(request), last, signal),
    restore: (request: CertificateRequest, fields: Fields) => backend.source.restorer?.(wantOf(request))?.(fields),
    watch: (request: CertificateRequest, changed: () => void, refreshMs = 100) =>
      backend.source.watch?.(
        { ...wantOf(request), refreshMs },
        { changed, written: () => {}, replaceAt: () => {}, covered: () => {} },
      ) as Watching,
    revoke: (request: CertificateRequest, old: Fetched) => backend.source.revoke?.(wantOf(request), old, never),
    warnings: () => facts.flatMap((fact) => (fact.kind === 'agent-warning' ? [fact.warning.code] : [])),
    calls: () =>
      facts
        .flatMap((fact) => (fact.kind === 'backend-answered' ? [fact.call] : []))
        .filter((call) => !call.includes('auth/token')),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
}

function asked(more: Partial<CertificateRequest> = {}): CertificateRequest {
  return {
    kind: 'vault-certificate',
    issuer: 'pki',
    role: 'ec',
    commonName: 'shop.svc',
    altNames: [],
    ipSans: [],
    uriSans: [],
    ttl: '3600s',
    ...more,
  };
}

interface Issued {
  readonly certificate: string;
  readonly privateKey: string;
  readonly privateKeyType: string;
  readonly issuingCa: string;
  readonly caChain: readonly string[];
}

const fieldsOf = (fetched: Fetched) => plain(fetched.fields) as Issued;

const EVERY_NAME = {
  altNames: ['api.shop.svc', '*.shop.svc', 'ops@shop.svc'],
  ipSans: ['10.0.0.7', '2001:db8::1'],
  uriSans: ['spiffe://example.com/shop'],
  otherSans: ['1.3.6.1.4.1.311.20.2.3;UTF8:user@example.com'],
};

describe('a certificate of a real OpenBao', () => {
  test.each([
    ['rsa', { type: 'rsa', bits: 2048 }, 'RSA PRIVATE KEY'],
    ['ec', { type: 'ec', curve: 'P-256' }, 'EC PRIVATE KEY'],
    ['any', { type: 'ec', curve: 'P-384' }, 'EC PRIVATE KEY'],
    ['any', { type: 'ec', curve: 'P-521' }, 'EC PRIVATE KEY'],
    ['ed25519', { type: 'ed25519' }, 'PRIVATE KEY'],
  ] as const)('for a local key (role %s, %o) has all names, and the key is never sent', async (role, key, block) => {
    await using vault = connect();
    const request = asked({ role, key, ...EVERY_NAME });
    const { certificate, privateKey, privateKeyType } = fieldsOf(held(await vault.fetch(request)));
    const x509 = new X509Certificate(certificate);
    expect(x509.publicKey.asymmetricKeyType).toBe(key.type);
    expect(privateKey).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    expect(privateKeyType).toBe(key.type);
    expect(vault.calls()).toEqual([`POST pki/sign/${role}`]);
    const traditional = fieldsOf(held(await vault.fetch({ ...request, privateKeyFormat: 'traditional' })));
    expect(traditional.privateKey).toMatch(new RegExp(`^-----BEGIN ${block}-----`));
  });

  test('with a key of the server has all names as well', async () => {
    await using vault = connect();
    const { certificate, privateKey } = fieldsOf(
      held(await vault.fetch(asked({ ...EVERY_NAME, privateKeyFormat: 'pkcs8' }))),
    );
    expect(new X509Certificate(certificate).subjectAltName).toContain('URI:spiffe://example.com/shop');
    expect(privateKey).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  });

  test('keeps its local key only where reuse is asked for', async () => {
    await using vault = connect();
    const key = { type: 'ec', curve: 'P-256' } as const;
    const publicKeys = async (request: CertificateRequest) => {
      const first = held(await vault.fetch(request));
      const second = held(await vault.fetch(request, first));
      expect(second.version).not.toBe(first.version);
      return [first, second].map((one) => fieldsOf(one).privateKey);
    };
    const [one, other] = await publicKeys(asked({ key }));
    expect(other).not.toBe(one);
    const [kept, again] = await publicKeys(asked({ key: { ...key, reuse: true } }));
    expect(again).toBe(kept);
  });

  test('comes from the issuer that is named, and ends when notAfter says', async () => {
    await using vault = connect();
    const notAfter = new Date(Math.floor(Date.now() / 1000) * 1000 + 5 * DAY_MS).toISOString();
    const { ttl: _, ...request } = asked({ issuer: 'leafs', issuerRef: 'default', notAfter });
    const { certificate } = fieldsOf(held(await vault.fetch(request)));
    expect(new X509Certificate(certificate).validToDate.toISOString()).toBe(notAfter);
    expect(vault.calls()).toEqual(['POST leafs/issuer/default/issue/ec']);
    const unknown = await failureOf(vault.fetch({ ...request, issuerRef: 'nobody' }));
    expect(unknown).toMatchObject({ code: expect.stringMatching(/^BACKEND_/) });
  });

  test('of an intermediate has its chain in order, up to a root that is configured', async () => {
    await using vault = connect();
    const { certificate, caChain } = fieldsOf(
      held(await vault.fetch(asked({ issuer: 'leafs', caFile: join(folder, 'pki.pem') }))),
    );
    const path = [certificate, ...caChain].map((pem) => new X509Certificate(pem));
    expect(path.map(({ subject }) => subject)).toEqual([
      'CN=shop.svc',
      'CN=test leafs',
      'CN=test middle',
      'CN=test pki',
    ]);
    for (const [i, one] of path.slice(0, -1).entries())
      expect(one.checkIssued(path[i + 1] as X509Certificate)).toBe(true);
  });

  test('of another CA than the configured one is refused', async () => {
    await using vault = connect();
    await mountPki('stranger');
    const wrong = await failureOf(vault.fetch(asked({ issuer: 'stranger', caFile: join(folder, 'pki.pem') })));
    expect(wrong).toMatchObject({ code: 'CERTIFICATE_UNFIT', seen: 'the certificate was issued by an unknown CA' });
    const missing = await failureOf(vault.fetch(asked({ caFile: join(folder, 'none.pem') })));
    expect(missing).toMatchObject({ code: 'CERTIFICATE_CA_UNREADABLE' });
    expect(vault.calls()).toEqual(['POST stranger/issue/ec']); // without the file nothing was issued
  });

  test('that is unfit is issued again in its time, and at once when a person asks or the CA file is mended', async () => {
    await using vault = connect();
    await mountPki('paced');
    const caFile = join(folder, 'mended.pem');
    await writeFile(caFile, `${roots.get('pki')}\n`);
    const fetch = (signal?: AbortSignal) => vault.fetch(asked({ issuer: 'paced', caFile }), undefined, signal);
    const stored = async () => (await bao.api<{ keys: string[] }>('GET', 'paced/certs?list=true')).data.keys.length;
    const before = await stored();
    const tellsWhen = expect.stringMatching(/unknown CA; .*the next certificate is made at 20[\d:T-]+Z$/);
    expect(await failureOf(fetch())).toMatchObject({ seen: 'the certificate was issued by an unknown CA' });
    for (let i = 0; i < 5; i++) {
      expect(await failureOf(fetch())).toMatchObject({ code: 'CERTIFICATE_UNFIT', seen: tellsWhen });
    }
    expect(await stored()).toBe(before + 1);

    const { signal } = new AbortController();
    setUrgency(signal, URGENCY.asked);
    const ask = async () => {
      expect(await failureOf(fetch(signal))).toMatchObject({ code: 'CERTIFICATE_UNFIT', seen: tellsWhen });
      return await stored();
    };
    await expect.poll(ask, { timeout: 10_000 }).toBe(before + 2); // once a second
    await failureOf(fetch());
    expect(await stored()).toBe(before + 2);

    await writeFile(caFile, `${roots.get('paced')}\n`);
    held(await fetch());
    expect(await stored()).toBe(before + 3);
  });

  test('that the role does not allow is refused in the words of the server, which name what is wrong', async () => {
    await using vault = connect();
    const wrong = (more: Partial<CertificateRequest>) => failureOf(vault.fetch(asked({ role: 'narrow', ...more })));
    expect((await wrong({ commonName: 'else.example' }))?.seen).toContain('"common name else.example not allowed');
    const names = { commonName: 'a.shop.svc', altNames: ['b.shop.svc', 'evil.example'] };
    expect((await wrong(names))?.seen).toContain('subject alternate name evil.example not allowed');
    const local = { ...names, key: { type: 'ec', curve: 'P-256' } } as const;
    expect((await wrong(local))?.seen).toContain('subject alternate name evil.example not allowed');
    const rsa = await wrong({ commonName: 'a.shop.svc', key: { type: 'rsa', bits: 2048 } });
    expect(rsa?.seen).toContain('role requires keys of type ec');
  });

  test('whose issuer has vanished fails with the words of the server, and says so again', async () => {
    await mountPki('gone');
    await using at = connect();
    const request = asked({ issuer: 'gone' });
    const first = await at.fetch(request);
    if (first.state !== 'changed') throw new Error('nothing came');
    await bao.api('DELETE', 'gone/issuer/default');
    for (let tries = 0; tries < 2; tries++) {
      await expect(at.fetch(request, first.value)).rejects.toMatchObject({
        failure: { place: expect.stringContaining('secrets.'), seen: expect.stringMatching(/issuer|HTTP [45]\d\d/) },
      });
    }
  });

  test('whose life the server cuts is good, with a warning', async () => {
    await using vault = connect();
    const cut = held(await vault.fetch(asked({ ttl: `${90 * 86_400}s` })));
    expect(cut.warning).toMatchObject({
      code: 'CERTIFICATE_SHORTENED',
      seen: 'the certificate lives 30d, and ttl is 90d',
    });
    expect(held(await vault.fetch(asked())).warning).toBeUndefined();
  });

  test('that was kept is taken up again only while it is what is asked for', async () => {
    await using vault = connect();
    const request = asked({ ...EVERY_NAME, key: { type: 'ec', curve: 'P-256' } });
    const { fields, version, life } = held(await vault.fetch(request));
    expect(await vault.restore(request, fields)).toEqual({ fields, version, life });
    expect(await vault.restore({ ...request, altNames: ['new.shop.svc'] }, fields)).toBeUndefined();
    expect(await vault.restore({ ...request, key: { type: 'ed25519' } }, fields)).toBeUndefined();
    const other = held(await vault.fetch(request));
    const mixed = new Map([...fields, ['privateKey', other.fields.get('privateKey') as Secret] as const]);
    expect(await vault.restore(request, mixed)).toBeUndefined();
    expect(await vault.restore(request, new Map())).toBeUndefined();
    expect(vault.calls()).toHaveLength(2);
  });
});

describe('a certificate in use', () => {
  const serialOf = (fetched: Fetched) => fetched.version;
  const revocationOf = async (mount: string, serial: string) =>
    (await bao.api<{ revocation_time: number }>('GET', `${mount}/cert/${serial}`)).data.revocation_time;

  test('that the server revokes is to be replaced at once', async () => {
    await using vault = connect();
    const request = asked({ commonName: 'revoked.svc' });
    const first = held(await vault.fetch(request));
    const { promise, resolve } = Promise.withResolvers<void>();
    using _watching = vault.watch(request, resolve);
    await bao.api('POST', 'pki/revoke', { serial_number: serialOf(first) });
    await promise;
    expect(vault.warnings()).toEqual(['CERTIFICATE_REVOKED']);
    expect(vault.calls().filter((call) => call.startsWith('POST'))).toHaveLength(1);
  });

  test.each<[string, object, string]>([
    ['a name', { role: 'narrow', commonName: 'evil.example' }, 'allowed_domains'],
    ['a role of any key', { role: 'any' }, 'key: local'],
    ['an unknown role', { role: 'none' }, 'Correct role'],
    ['an unknown issuer', { issuerRef: 'none' }, 'Correct issuerRef'],
  ])('that is refused for %s says what to do', async (_, more, hint) => {
    await using vault = connect();
    const refused = await failureOf(vault.fetch(asked(more)));
    expect(refused?.code).toBe('BACKEND_REJECTED');
    expect(refused?.hint).toContain(hint);
  });

  test('is looked at by another refresh once the configuration has another one', async () => {
    await using vault = connect();
    const request = asked({ commonName: 'sooner.svc' });
    const first = held(await vault.fetch(request));
    const { promise, resolve } = Promise.withResolvers<void>();
    using watching = vault.watch(request, resolve, 30 * DAY_MS);
    await bao.api('POST', 'pki/revoke', { serial_number: serialOf(first) });
    watching.follow?.({ ...wantOf(request), refreshMs: 100 });
    await promise;
    expect(vault.warnings()).toEqual(['CERTIFICATE_REVOKED']);
  });

  test.each([
    ['the mount', {}],
    ['the issuer', { issuerRef: 'default' }],
  ])('is to be replaced once when the CA of %s has changed', async (_, more) => {
    const mount = `rotated-${Object.keys(more).length}`;
    await mountPki(mount);
    await using vault = connect();
    const request = asked({ issuer: mount, ...more });
    const first = held(await vault.fetch(request));
    let changes = 0;
    using _watching = vault.watch(request, () => changes++);
    const looks = () => vault.calls().filter((call) => call.startsWith('GET')).length;
    await expect.poll(looks, { timeout: 10_000 }).toBeGreaterThan(1);
    expect(changes).toBe(0);
    const next = { common_name: `next ${mount}`, ttl: '43800h', key_type: 'ec', issuer_name: 'next' };
    await bao.api('POST', `${mount}/root/rotate/internal`, next);
    await bao.api('POST', `${mount}/root/replace`, { default: 'next' });
    await expect.poll(() => changes, { timeout: 10_000 }).toBe(1);
    expect(vault.warnings()).toEqual(['CERTIFICATE_CA_CHANGED']);
    const second = held(await vault.fetch(request, first));
    expect(fieldsOf(second).issuingCa).not.toBe(fieldsOf(first).issuingCa);
    const before = looks();
    await expect.poll(looks, { timeout: 10_000 }).toBeGreaterThan(before + 3);
    expect(changes).toBe(1);
  });

  test('is revoked alone when it is to end', async () => {
    await using vault = connect();
    const request = asked({ commonName: 'old.svc' });
    const first = held(await vault.fetch(request));
    const second = held(await vault.fetch(request, first));
    await vault.revoke(request, first);
    expect(await revocationOf('pki', serialOf(first))).toBeGreaterThan(0);
    expect(await revocationOf('pki', serialOf(second))).toBe(0);
  });
});
