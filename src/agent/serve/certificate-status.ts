import type { Fetched } from '../../backend/backend.ts';
import { altNamesOf, oneLineName, serialWithColons } from '../../base/certificate-names.ts';
import { loadCrypto } from '../../base/node-crypto.ts';
import { plainText } from '../../base/value.ts';
import type { CertificateStatus } from '../../deliver/api/status.ts';

/** A certificate is parsed once. */
const known = new WeakMap<Fetched, CertificateStatus>();

/** What is public of the certificate that a secret holds; nothing for every other secret. */
export function certificateStatus(value: Fetched): { readonly certificate?: CertificateStatus } {
  if (value.life.kind !== 'certificate') return {};
  const certificate = known.get(value) ?? read(value);
  if (certificate === undefined) return {};
  known.set(value, certificate);
  return { certificate };
}

function read({ fields }: Fetched): CertificateStatus | undefined {
  const pem = fields.get('certificate');
  const text = pem instanceof Map || Array.isArray(pem) ? undefined : plainText(pem);
  if (text === undefined) return undefined;
  try {
    const x509 = new (loadCrypto().X509Certificate)(text);
    return {
      serial: serialWithColons(x509.serialNumber),
      subject: oneLineName(x509.subject),
      issuer: oneLineName(x509.issuer),
      notBefore: x509.validFromDate.toISOString(),
      notAfter: x509.validToDate.toISOString(),
      names: altNamesOf(x509).map(([kind, name]) => `${kind}:${name}`),
    };
  } catch {
    return undefined; // no certificate that Node can read
  }
}
