import type { X509Certificate } from 'node:crypto';
import type { CertificatePart } from '../../config/config.ts';
import { CertificateFault } from './fault.ts';
import type { Identity } from './identity.ts';
import { certificatesOf, keyOf } from './parts.ts';
import { writeKeystore, writeTruststore } from './pkcs12.ts';
import { pkcs8Of } from './read.ts';

/** A PKCS#12 keystore: the key, its certificate, and the parts that go with it. @throws CertificateFault */
export function keystoreOf(
  identity: Identity,
  parts: readonly Exclude<CertificatePart, 'key'>[],
  password: string,
  alias: string,
): Buffer {
  const key = pkcs8Of(keyOf(identity));
  const chain = new Set(['leaf' as const, ...parts].flatMap((part) => certificatesOf(identity, part)));
  return writeKeystore(key, [...chain], password, alias);
}

/** A truststore for Java. @throws CertificateFault */
export function truststoreOf(
  identity: Identity,
  parts: readonly Exclude<CertificatePart, 'key'>[],
  password: string,
): Buffer {
  const certificates = new Set(parts.flatMap((part) => certificatesOf(identity, part)));
  if (certificates.size === 0) throw new CertificateFault(`there is nothing for ${parts.join(', ')}`);
  return writeTruststore(new Map([...certificates].map((one) => [aliasOf(one), one])), password);
}

/**
 * The alias of a trusted certificate: the last part of its name, and enough of its fingerprint to tell it from others.
 * Java ignores the case of an alias, and so do we; an entry keeps its alias when others come or go.
 */
function aliasOf({ subject, fingerprint256 }: X509Certificate): string {
  const name = /(?:^|\n)CN=(.*)$/m.exec(subject ?? '')?.[1] ?? 'ca';
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .slice(0, 64);
  return `${plain}-${fingerprint256.replaceAll(':', '').slice(0, 16).toLowerCase()}`;
}
