import type { X509Certificate } from 'node:crypto';
import { loadCrypto } from '../../base/node-crypto.ts';
import { BadArgument } from './helper.ts';

/** Parses one certificate, in DER or PEM. @throws BadArgument, whose message has no words of OpenSSL. */
export function parseCertificate(der: Uint8Array): X509Certificate {
  try {
    return new (loadCrypto().X509Certificate)(der);
  } catch {
    throw new BadArgument('got a certificate that cannot be read');
  }
}

/**
 * Puts certificates in the order a TLS server sends them: a leaf first, each followed by its issuer (RFC 8446, 4.4.2).
 * Several leaves keep their order, each followed by those of its chain that are not yet in the list. A bundle of roots
 * therefore keeps its order.
 */
export function orderChain<T extends { readonly certificate: X509Certificate }>(all: readonly T[]): readonly T[] {
  const bySubject = Map.groupBy(all, ({ certificate }) => certificate.subject);
  const issuers = new Map(all.map((item) => [item, issuerOf(item, bySubject.get(item.certificate.issuer) ?? [])]));
  const isIssuer = new Set(issuers.values());
  const ordered = new Set<T>();
  // Certificates that issue each other have no leaf: they come last, in the given order.
  for (const start of [...all.filter((item) => !isIssuer.has(item)), ...all]) {
    for (let at: T | undefined = start; at !== undefined && !ordered.has(at); at = issuers.get(at)) ordered.add(at);
  }
  return [...ordered];
}

function issuerOf<T extends { readonly certificate: X509Certificate }>(
  item: T,
  namesakes: readonly T[],
): T | undefined {
  const likely = namesakes.filter((other) => other !== item && item.certificate.checkIssued(other.certificate));
  // Several certificates have the issuer's name when a CA got a new key: then the signature decides.
  return likely.length > 1 ? (likely.find((other) => isSignedBy(item, other)) ?? likely[0]) : likely[0];
}

function isSignedBy<T extends { readonly certificate: X509Certificate }>(item: T, issuer: T): boolean {
  try {
    return item.certificate.verify(issuer.certificate.publicKey);
  } catch {
    return false; // this OpenSSL lacks the algorithm
  }
}
