import type { KeyObject, X509Certificate } from 'node:crypto';
import type { CertificatePart, KeyFormat } from '../../config/config.ts';
import { writePem } from '../text/pem.ts';
import { deriveFrom } from './derive.ts';
import { CertificateFault } from './fault.ts';
import type { Identity } from './identity.ts';
import { encryptPkcs8 } from './pbes2.ts';
import { pkcs8Of } from './read.ts';

/** How a private key is written. */
export interface KeyOptions {
  readonly keyFormat?: KeyFormat | undefined;
  /** Encrypts the key; only with PKCS#8. */
  readonly password?: string | undefined;
}

/** One block of PEM, or one file of DER. */
interface Block {
  readonly label: string;
  readonly der: Buffer;
}

/** The parts as PEM, in the given order, each certificate once; with a line end after each block. */
export function pemOf(identity: Identity, parts: readonly CertificatePart[], options: KeyOptions): string {
  return blocksOf(identity, parts, options)
    .map(({ label, der }) => `${writePem({ label, headers: [], base64: der.toString('base64') })}\n`)
    .join('');
}

/** One part as DER. @throws CertificateFault when the part is several certificates. */
export function derOf(identity: Identity, part: CertificatePart, options: KeyOptions): Buffer {
  const [only, ...more] = blocksOf(identity, [part], options);
  if (only === undefined || more.length > 0) {
    throw new CertificateFault(`${part} is ${more.length + 1} certificates, and DER holds one`, 'Use format: pem.');
  }
  return only.der;
}

function blocksOf(identity: Identity, parts: readonly CertificatePart[], options: KeyOptions): readonly Block[] {
  const certificates = new Set<X509Certificate>();
  const blocks = parts.flatMap((part): Block[] => {
    if (part === 'key') return [keyBlock(keyOf(identity), options)];
    const fresh = certificatesOf(identity, part).filter((one) => !certificates.has(one));
    for (const one of fresh) certificates.add(one);
    return fresh.map(({ raw }) => ({ label: 'CERTIFICATE', der: raw }));
  });
  if (blocks.length === 0) {
    throw new CertificateFault(
      `there is nothing for ${parts.join(', ')}`,
      'A root issued the certificate: use ca or root.',
    );
  }
  return blocks;
}

/** The certificates of a part; those of `intermediates` may be none. @throws CertificateFault */
export function certificatesOf(identity: Identity, part: Exclude<CertificatePart, 'key'>): readonly X509Certificate[] {
  const { intermediates, roots, authorities } = identity;
  if (part === 'leaf') return [leafOf(identity)];
  if (part === 'fullchain') return [leafOf(identity), ...intermediates];
  if (part === 'intermediates') return intermediates;
  const all = part === 'root' ? roots : authorities;
  if (all.length > 0) return all;
  const what = part === 'root' ? 'root certificate' : 'certificate of an authority';
  const hint = authorities.length > 0 ? 'Use ca for what is there, or name a secret with the root too.' : ADD;
  throw new CertificateFault(`there is no ${what}`, hint);
}

const ADD = 'Name a secret or field with it too.';

function leafOf({ leaf, authorities }: Identity): X509Certificate {
  if (leaf === undefined && authorities.length === 0) throw new CertificateFault('there is no certificate', ADD);
  if (leaf === undefined) throw new CertificateFault('there is no certificate but those of authorities', ADD);
  return leaf;
}

/** The private key. @throws CertificateFault */
export function keyOf({ key }: Identity): KeyObject {
  if (key === undefined) throw new CertificateFault('there is no private key', ADD);
  return key;
}

const LABELS = { pkcs8: 'PRIVATE KEY', pkcs1: 'RSA PRIVATE KEY', sec1: 'EC PRIVATE KEY' } as const;

function keyBlock(key: KeyObject, { keyFormat = 'pkcs8', password }: KeyOptions): Block {
  if (keyFormat === 'pkcs8') {
    const pkcs8 = pkcs8Of(key);
    if (password === undefined) return { label: LABELS.pkcs8, der: pkcs8 };
    return { label: 'ENCRYPTED PRIVATE KEY', der: encryptPkcs8(pkcs8, password, deriveFrom(pkcs8, pkcs8)) };
  }
  const type = keyFormat === 'pkcs1' ? 'rsa' : 'ec';
  if (key.asymmetricKeyType !== type) {
    const seen = `the key is of type ${key.asymmetricKeyType}, and ${keyFormat} is for keys of type ${type}`;
    throw new CertificateFault(seen, 'Leave keyFormat out: pkcs8 holds any key.');
  }
  return { label: LABELS[keyFormat], der: key.export({ type: keyFormat, format: 'der' }) };
}
