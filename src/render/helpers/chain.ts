import type { X509Certificate } from 'node:crypto';
import { loadCrypto } from '../../base/node-crypto.ts';
import { BadArgument } from './helper.ts';

/** A certificate of its DER bytes, or of PEM. @throws BadArgument without a word of OpenSSL's. */
export function parseCertificate(der: Uint8Array): X509Certificate {
  try {
    return new (loadCrypto().X509Certificate)(der);
  } catch {
    throw new BadArgument('wants certificates, and one cannot be read');
  }
}

/**
 * Puts certificates in the order a TLS server sends them: a leaf first, each followed by its issuer (RFC 8446, 4.4.2).
 * Several leaves keep their order, each with what of its chain did not come before; so a bundle of roots stays as it
 * is.
 */
export function orderChain<T extends { readonly certificate: X509Certificate }>(all: readonly T[]): readonly T[] {
  const bySubject = Map.groupBy(all, ({ certificate }) => certificate.subject);
  const issuers = new Map(all.map((one) => [one, issuerOf(one, bySubject.get(one.certificate.issuer) ?? [])]));
  const needed = new Set(issuers.values());
  const ordered = new Set<T>();
  // Certificates that issue each other have no leaf; they come last, in the order given.
  for (const start of [...all.filter((one) => !needed.has(one)), ...all]) {
    for (let at: T | undefined = start; at !== undefined && !ordered.has(at); at = issuers.get(at)) ordered.add(at);
  }
  return [...ordered];
}

function issuerOf<T extends { readonly certificate: X509Certificate }>(one: T, named: readonly T[]): T | undefined {
  const likely = named.filter((other) => other !== one && one.certificate.checkIssued(other.certificate));
  // Several have the name when a CA has got a new key: then the signature decides.
  return likely.length > 1 ? (likely.find((other) => isSignedBy(one, other)) ?? likely[0]) : likely[0];
}

function isSignedBy<T extends { readonly certificate: X509Certificate }>(one: T, other: T): boolean {
  try {
    return one.certificate.verify(other.certificate.publicKey);
  } catch {
    return false; // an algorithm this OpenSSL does not have
  }
}
