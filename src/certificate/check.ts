import type { KeyObject, X509Certificate } from 'node:crypto';
import { formatDuration } from '../base/duration.ts';
import { loadCrypto } from '../base/node-crypto.ts';
import { missingNames, type Names } from './names.ts';
import { certificatesIn } from './pem.ts';

/** What belongs together, as a backend gave it: texts in PEM. */
export interface CertificateSet {
  /** The certificate, which certificates of its chain may follow in any order. */
  readonly certificate: string;
  readonly privateKey: string;
  /** Certificates of authorities in any order. */
  readonly chain: readonly string[];
}

/** What a set is checked against. */
export interface Expected {
  /**
   * Certificates of authorities in PEM: the certificate must be issued by one of them, or by one of the chain that is.
   * Absent: the chain that came with the certificate must have issued it, when there is one.
   */
  readonly authorities?: readonly string[] | undefined;
  /** Absent: the names are not checked. */
  readonly names?: Names | undefined;
  readonly nowMs: number;
  /** By how much the clocks of this machine and of the issuer may differ. */
  readonly clockSkewMs: number;
}

/** A set that may be published. */
export interface CheckedCertificate {
  readonly leaf: X509Certificate;
  readonly key: KeyObject;
  /** The certificates above the leaf, in PEM, each the issuer of the one before; then those that are not on the way. */
  readonly chain: readonly string[];
}

/** Why a set may not be published; the words hold nothing secret. */
export class UnfitCertificateError extends Error {
  /** `unreadable`: the set is not what it should be at all. */
  readonly kind: 'unreadable' | 'unfit';

  constructor(seen: string, kind: UnfitCertificateError['kind'] = 'unfit') {
    super(seen);
    this.name = 'UnfitCertificateError';
    this.kind = kind;
  }
}

/** A longer chain is none: no public or private hierarchy has so many levels. */
const MAX_LEVELS = 16;

/**
 * Checks that a certificate is fit to be published: the key is its key; the chain leads to an authority that is
 * trusted; it has the names that were asked for; and it is valid now. Pure: the same set is judged the same way.
 *
 * A certificate may begin up to `clockSkewMs` in the future, since the clocks of two machines differ. It must not have
 * ended, however little ago: it would be replaced at once, again and again.
 * @throws UnfitCertificateError with the first thing that is wrong. Errors of Node are replaced: they may quote a key.
 */
export function checkCertificate(set: CertificateSet, expected: Expected): CheckedCertificate {
  const given = readCertificates(set.certificate, 'the certificate');
  const key = readKey(set.privateKey);
  const leaf = given.find((one) => one.checkPrivateKey(key));
  if (leaf === undefined) throw new UnfitCertificateError('the private key does not belong to the certificate');
  const others = [...given.filter((one) => one !== leaf), ...readChain(set.chain)];
  const chain = inOrder(leaf, distinct(others));
  checkTime(leaf, 'the certificate', expected);
  checkAuthority(leaf, chain, expected);
  checkNames(leaf, expected);
  return { leaf, key, chain: [...chain.path, ...chain.rest].map((one) => one.toString()) };
}

function readCertificates(pem: string, what: string): readonly X509Certificate[] {
  const { X509Certificate } = loadCrypto();
  try {
    const found = certificatesIn(pem).map((one) => new X509Certificate(one));
    if (found.length > 0) return found;
  } catch {
    // told below, without the words of Node
  }
  throw new UnfitCertificateError(`${what} cannot be read`, 'unreadable');
}

const readChain = (chain: readonly string[]) =>
  chain.flatMap((one) => readCertificates(one, 'a certificate of the chain'));

function readKey(pem: string): KeyObject {
  try {
    return loadCrypto().createPrivateKey(pem);
  } catch {
    throw new UnfitCertificateError('the private key cannot be read', 'unreadable');
  }
}

function distinct(all: readonly X509Certificate[]): readonly X509Certificate[] {
  return [...new Map(all.map((one) => [one.fingerprint256, one])).values()];
}

/** `path`: each the issuer of the one before. */
interface Chain {
  readonly path: readonly X509Certificate[];
  readonly rest: readonly X509Certificate[];
}

function inOrder(leaf: X509Certificate, pool: readonly X509Certificate[]): Chain {
  const path: X509Certificate[] = [];
  let rest = pool.filter((one) => one.fingerprint256 !== leaf.fingerprint256);
  for (let below = leaf; path.length < MAX_LEVELS; ) {
    const issuer = rest.find((one) => hasIssued(one, below));
    if (issuer === undefined) break;
    path.push(issuer);
    rest = rest.filter((one) => one !== issuer);
    below = issuer;
  }
  return { path, rest };
}

/** Whether `issuer` is an authority that signed the certificate. */
function hasIssued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  try {
    return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch {
    return false; // a key of a kind that cannot have made the signature
  }
}

function checkTime(x509: X509Certificate, what: string, { nowMs, clockSkewMs }: Expected): void {
  const beginsInMs = x509.validFromDate.getTime() - nowMs;
  const endedMs = nowMs - x509.validToDate.getTime();
  if (!Number.isFinite(beginsInMs) || !Number.isFinite(endedMs) || x509.validToDate <= x509.validFromDate) {
    throw new UnfitCertificateError(`${what} has no validity`);
  }
  if (beginsInMs > clockSkewMs) {
    throw new UnfitCertificateError(`${what} is valid only in ${formatDuration(beginsInMs)}`);
  }
  if (endedMs >= 0) throw new UnfitCertificateError(`${what} ended ${formatDuration(endedMs)} ago`);
}

function checkAuthority(leaf: X509Certificate, { path, rest }: Chain, expected: Expected): void {
  for (const one of path) checkTime(one, 'an authority of the chain', expected);
  const { authorities } = expected;
  if (authorities === undefined) {
    if (path.length > 0 || rest.length === 0) return;
    throw new UnfitCertificateError('no certificate of the chain has issued the certificate');
  }
  const trusted = authorities.flatMap((one) => readCertificates(one, 'the CA certificate'));
  const onTheWay = [leaf, ...path];
  const anchor = trusted.find((ca) =>
    onTheWay.some((one) => one.fingerprint256 === ca.fingerprint256 || hasIssued(ca, one)),
  );
  if (anchor === undefined) throw new UnfitCertificateError('the certificate was issued by an unknown CA');
  checkTime(anchor, 'the CA certificate', expected);
}

function checkNames(leaf: X509Certificate, { names }: Expected): void {
  if (names === undefined) return;
  let missing: readonly string[];
  try {
    missing = missingNames(leaf, names);
  } catch {
    throw new UnfitCertificateError('the names in the certificate cannot be read', 'unreadable');
  }
  if (missing.length > 0) throw new UnfitCertificateError(`the certificate lacks ${missing.join(', ')}`);
}
