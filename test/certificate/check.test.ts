import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  type CertificateSet,
  checkCertificate,
  type Expected,
  type UnfitCertificateError,
} from '../../src/certificate/check.ts';
import type { Names } from '../../src/certificate/names.ts';
import { numbers } from '../lease/lease.helpers.ts';
import { type Authority, createAuthority, type KeyPair } from '../servers/certificates.ts';

const HOUR_MS = 3_600_000;
const SKEW_MS = 300_000;
const RUNS = 150;

/** A hierarchy and what a backend gives of it, from random numbers: the same for a seed. */
interface Case {
  readonly root: Authority;
  /** From the one that has issued the leaf up to the root, in PEM. */
  readonly path: readonly string[];
  readonly leaf: KeyPair;
  readonly names: readonly string[];
  readonly set: CertificateSet;
  readonly expected: Expected;
  readonly random: () => number;
}

const strangers = [createAuthority('stranger'), createAuthority('another')];
const roots = [createAuthority('root one'), createAuthority('root two')];

function caseOf(seed: number): Case {
  const random = numbers(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const root = pick(roots);
  const path = [root];
  for (let depth = Math.floor(random() * 4); depth > 0; depth--) {
    path.unshift((path[0] as Authority).subordinate(`level ${depth} of ${seed}`));
  }
  const all = ['shop.svc', 'api.shop.svc', '*.shop.svc', '10.0.0.7', 'x.example'];
  const names = all.filter(() => random() < 0.6);
  const leaf = (path[0] as Authority).issue({ commonName: 'shop.svc', altNames: names });
  const pems = path.map(({ certificatePem }) => certificatePem);
  // The root may be left out, the order is any, and some are there twice or do not belong there.
  const given = [
    ...pems.slice(0, random() < 0.5 ? pems.length : -1),
    ...strangers.map(({ certificatePem }) => certificatePem),
  ]
    .filter((pem) => pems.includes(pem) || random() < 0.3)
    .flatMap((pem) => (random() < 0.2 ? [pem, pem] : [pem]))
    .sort(() => random() - 0.5);
  const inOneText = random() < 0.3;
  return {
    root,
    path: pems,
    leaf,
    names,
    random,
    set: {
      certificate: inOneText ? [...given, leaf.certificatePem].join('') : leaf.certificatePem,
      privateKey: leaf.keyPem,
      chain: inOneText ? [] : random() < 0.5 ? given : [given.join('')].filter((text) => text !== ''),
    },
    expected: { authorities: [root.certificatePem], names: wanted(names), nowMs: Date.now(), clockSkewMs: SKEW_MS },
  };
}

function wanted(names: readonly string[], more: Partial<Names> = {}): Names {
  const isAddress = (name: string) => /^\d/.test(name);
  return {
    commonName: 'shop.svc',
    dns: names.filter((name) => !isAddress(name)),
    ips: names.filter(isAddress),
    emails: [],
    uris: [],
    others: [],
    ...more,
  };
}

function refusal(set: CertificateSet, expected: Expected): string {
  try {
    checkCertificate(set, expected);
  } catch (error) {
    return (error as UnfitCertificateError).message;
  }
  return 'none';
}

const seeds = Array.from({ length: RUNS }, (_, seed) => seed);
const each = (check: (one: Case) => void) => {
  for (const seed of seeds) check(caseOf(seed));
};

describe('a set that fits together', () => {
  it('is taken whatever the order of its chain, which is put in order', () => {
    each(({ set, expected, leaf, path }) => {
      const { leaf: found, chain } = checkCertificate(set, expected);
      expect(found.raw).toEqual(new X509Certificate(leaf.certificatePem).raw);
      const given = new Set(
        [set.certificate, ...set.chain].join('').match(/-----BEGIN[\s\S]*?-----END CERTIFICATE-----\n/g),
      );
      const shouldBe = path.filter((pem) => given.has(pem));
      expect(chain.slice(0, shouldBe.length)).toEqual(shouldBe);
      expect(new Set(chain).size).toBe(chain.length);
    });
  });

  it('is taken up to the skew of the clocks before it begins, and to the last moment before it ends', () => {
    each(({ set, expected, leaf }) => {
      const { validFromDate, validToDate } = new X509Certificate(leaf.certificatePem);
      const at = (nowMs: number) => refusal(set, { ...expected, nowMs });
      expect(at(validFromDate.getTime() - SKEW_MS)).toBe('none');
      expect(at(validToDate.getTime() - 1)).toBe('none');
      expect(at(validFromDate.getTime() - SKEW_MS - 1000)).toMatch(/^the certificate is valid only in 5m1s$/);
      expect(at(validToDate.getTime())).toMatch(/^the certificate ended /);
      expect(at(validToDate.getTime() + 24 * HOUR_MS)).toMatch(/^the certificate ended 1d ago$/);
      expect(at(validFromDate.getTime() - 24 * HOUR_MS)).toMatch(/^the certificate is valid only in 1d$/);
    });
  });

  it('may be checked against the authority above it alone, or without any', () => {
    each(({ set, expected, path }) => {
      expect(refusal(set, { ...expected, authorities: [path[0] as string] })).toBe('none');
      expect(refusal({ ...set, chain: path }, { ...expected, authorities: undefined })).toBe('none');
    });
    const { leaf, expected } = caseOf(1);
    const alone = { certificate: leaf.certificatePem, privateKey: leaf.keyPem, chain: [] };
    expect(refusal(alone, { ...expected, authorities: undefined })).toBe('none');
  });
});

describe('a set that does not fit together', () => {
  it('by the key of another certificate is refused', () => {
    each(({ set, expected, root }) => {
      const { keyPem } = root.issue({ commonName: 'shop.svc' });
      expect(refusal({ ...set, privateKey: keyPem }, expected)).toBe(
        'the private key does not belong to the certificate',
      );
    });
  });

  it('by a CA that is not the configured one is refused', () => {
    each(({ set, expected }) => {
      const authorities = strangers.map(({ certificatePem }) => certificatePem);
      expect(refusal(set, { ...expected, authorities })).toBe('the certificate was issued by an unknown CA');
    });
  });

  it('by a missing level of its chain is refused', () => {
    each(({ leaf, expected, path, random }) => {
      if (path.length < 3) return;
      const missing = Math.floor(random() * (path.length - 1));
      const chain = path.filter((_, i) => i !== missing);
      const set = { certificate: leaf.certificatePem, privateKey: leaf.keyPem, chain };
      const isRefused = refusal(set, { ...expected, authorities: [path.at(-1) as string] });
      expect(isRefused).toBe('the certificate was issued by an unknown CA');
    });
  });

  it('by an authority of the same name and another key is refused', () => {
    each(({ set, expected, root }) => {
      const { subject } = new X509Certificate(root.certificatePem);
      const twin = createAuthority(subject.replace('CN=', ''));
      expect(refusal(set, { ...expected, authorities: [twin.certificatePem] })).not.toBe('none');
    });
  });

  it('by each name that is missing is refused, and the names are told', () => {
    each(({ set, expected, names }) => {
      const missing = { dns: ['else.example', 'api.shop.svc.example'], ips: ['10.0.0.8', '::1'] };
      const asked = wanted(names);
      const more = { ...asked, dns: [...asked.dns, ...missing.dns], ips: [...asked.ips, ...missing.ips] };
      expect(refusal(set, { ...expected, names: more })).toBe(
        'the certificate lacks the DNS name else.example, the DNS name api.shop.svc.example, the IP address 10.0.0.8, the IP address ::1',
      );
      const other = { uris: ['spiffe://x/y'], emails: ['a@shop.svc'], others: ['1.2.3;UTF8:x'], commonName: 'b.svc' };
      expect(refusal(set, { ...expected, names: wanted([], other) })).toBe(
        'the certificate lacks the common name b.svc, the e-mail address a@shop.svc, the URI spiffe://x/y, the other name 1.2.3;UTF8:x',
      );
    });
  });

  it('by a chain that has not issued it is refused', () => {
    const { leaf, expected } = caseOf(3);
    const chain = [(strangers[0] as Authority).certificatePem];
    const set = { certificate: leaf.certificatePem, privateKey: leaf.keyPem, chain };
    expect(refusal(set, { ...expected, authorities: undefined })).toBe(
      'no certificate of the chain has issued the certificate',
    );
  });

  it('by text that cannot be read is refused without the text', () => {
    const { leaf, set, expected } = caseOf(5);
    const broken = leaf.certificatePem.replace(/\n.{20}/, '\nCANARYCANARYCANARY00');
    const { publicKey } = generateKeyPairSync('ed25519');
    const cases: readonly Partial<CertificateSet>[] = [
      { certificate: broken },
      { certificate: 'CANARY' },
      { certificate: '' },
      { privateKey: `${leaf.keyPem.slice(0, 60)}CANARY` },
      { privateKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() },
      { chain: ['CANARY'] },
      { chain: [broken] },
    ];
    for (const one of cases) {
      const told = refusal({ ...set, ...one }, expected);
      expect(told).toMatch(/cannot be read$/);
      expect(told).not.toContain('CANARY');
    }
  });

  it('by bytes that are exchanged anywhere in the certificate is refused, and never crashes', () => {
    const { leaf, set, expected, random } = caseOf(8);
    const der = new X509Certificate(leaf.certificatePem).raw;
    for (let i = 0; i < 400; i++) {
      const bytes = Buffer.from(der);
      const at = Math.floor(random() * bytes.length);
      bytes[at] = (bytes[at] as number) ^ (1 + Math.floor(random() * 255));
      const pem = `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64')}\n-----END CERTIFICATE-----\n`;
      expect([at, refusal({ ...set, certificate: pem }, expected)]).not.toEqual([at, 'none']);
    }
  });
});
