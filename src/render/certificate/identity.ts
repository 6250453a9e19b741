import type { KeyObject, X509Certificate } from 'node:crypto';
import { CertificateFault } from './fault.ts';
import type { Found } from './read.ts';

/** The parts of one certificate: the key, the certificate of the key, and those that issued it. */
export interface Identity {
  readonly key: KeyObject | undefined;
  /** Undefined when the sources hold certificates of authorities only. */
  readonly leaf: X509Certificate | undefined;
  /** The issuers of the leaf, nearest first, without roots. */
  readonly intermediates: readonly X509Certificate[];
  /** All certificates that issued themselves. */
  readonly roots: readonly X509Certificate[];
  /** All certificates of authorities: the issuers of the leaf, nearest first, then others. */
  readonly authorities: readonly X509Certificate[];
}

/**
 * Sorts what some sources hold. A key decides which certificate is the leaf; without one it is the certificate that is
 * of no authority.
 * @throws CertificateFault when the key belongs to none of the certificates, or it is not clear which is meant.
 */
export function identityOf({ certificates, keys }: Found): Identity {
  const [key] = keys;
  if (keys.length > 1) throw new CertificateFault('there are several private keys', ONE_ONLY);
  const leaf = key === undefined ? onlyLeaf(certificates) : leafOfKey(key, certificates);
  const chain = leaf === undefined ? [] : issuersOf(leaf, certificates);
  const authorities = new Set([...chain, ...certificates].filter((one) => one.ca || isSelfSigned(one)));
  return {
    key,
    leaf,
    intermediates: chain.filter((one) => !isSelfSigned(one)),
    roots: certificates.filter(isSelfSigned),
    authorities: [...authorities].filter((one) => one !== leaf || isSelfSigned(one)),
  };
}

const ONE_ONLY = 'Name the fields of one certificate.';
const PAIR = 'Store the key and the certificate that belong together.';

function leafOfKey(key: KeyObject, certificates: readonly X509Certificate[]): X509Certificate | undefined {
  const own = certificates.filter((one) => one.checkPrivateKey(key));
  if (own.length === 0 && certificates.length > 0) {
    throw new CertificateFault('the private key belongs to none of the certificates', PAIR);
  }
  // A key that was kept through a renewal: the newest counts.
  return own.toSorted((a, b) => b.validFromDate.getTime() - a.validFromDate.getTime())[0];
}

function onlyLeaf(certificates: readonly X509Certificate[]): X509Certificate | undefined {
  const leaves = certificates.filter((one) => !one.ca && (certificates.length === 1 || !isSelfSigned(one)));
  if (leaves.length > 1)
    throw new CertificateFault('there are several certificates that are of no authority', ONE_ONLY);
  return leaves[0];
}

/** The certificates that issued one of the list before, from the leaf on; the leaf itself is left out. */
function issuersOf(leaf: X509Certificate, certificates: readonly X509Certificate[]): readonly X509Certificate[] {
  const chain = new Set([leaf]);
  // The set grows while it is read: each issuer is looked at in turn.
  for (const one of chain) for (const other of certificates) if (isIssued(one, other)) chain.add(other);
  chain.delete(leaf);
  return [...chain];
}

/** Whether names and signature say that `issuer` issued the certificate. */
function isIssued(certificate: X509Certificate, issuer: X509Certificate): boolean {
  if (!certificate.checkIssued(issuer)) return false;
  try {
    return certificate.verify(issuer.publicKey);
  } catch {
    return true; // this OpenSSL lacks the algorithm, and the names agree
  }
}

const isSelfSigned = (certificate: X509Certificate): boolean =>
  certificate.subject === certificate.issuer && isIssued(certificate, certificate);
