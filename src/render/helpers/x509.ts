import type { X509Certificate } from 'node:crypto';
import { altNamesOf, oneLineName, serialWithColons } from '../../base/certificate-names.ts';
import { Secret } from '../../base/secret.ts';
import { isSecret, type Value } from '../../base/value.ts';
import { readPem } from '../text/pem.ts';
import { parseCertificate } from './chain.ts';
import { BadArgument, type Helper, takeOneOf, takeText } from './helper.ts';

/** Every FIELD of a certificate. */
const FIELDS = {
  subject: ({ subject }) => Secret.text(oneLineName(subject)),
  issuer: ({ issuer }) => Secret.text(oneLineName(issuer)),
  serial: ({ serialNumber }) => Secret.text(serialWithColons(serialNumber)),
  notBefore: ({ validFromDate }) => Secret.text(rfc3339(validFromDate)),
  notAfter: ({ validToDate }) => Secret.text(rfc3339(validToDate)),
  sans: (certificate) => altNamesOf(certificate).map(([kind, name]) => Secret.text(`${kind}:${name}`)),
  dnsNames: (certificate) => texts(altNamesOf(certificate).filter(([kind]) => kind === 'DNS')),
  ipAddresses: (certificate) => texts(altNamesOf(certificate).filter(([kind]) => kind === 'IP')),
  fingerprint: ({ fingerprint256 }) => Secret.text(fingerprint256.replaceAll(':', '').toLowerCase()),
} as const satisfies Readonly<Record<string, (certificate: X509Certificate) => Value>>;

const NAMES = Object.keys(FIELDS) as (keyof typeof FIELDS)[];
const fieldOf = (value: Value | undefined) => takeOneOf(value, 'FIELD', NAMES);

export const x509: Helper = {
  usage: 'x509 CERTIFICATE FIELD',
  does:
    'One field of the first certificate in a PEM text, or of DER bytes: `subject`, `issuer` (RFC 4514), `serial` (as ' +
    'OpenBao writes it), `notBefore`, `notAfter` (RFC 3339), `fingerprint` (SHA-256), or one of the lists `sans`, ' +
    '`dnsNames`, `ipAddresses`.',
  example: ['{{x509 tls.certificate "notAfter"}}', '2046-11-16T11:40:27Z'],
  checks: { FIELD: fieldOf },
  apply: ([certificate, field]) => FIELDS[fieldOf(field)](certificateOf(certificate)),
};

function certificateOf(value: Value | undefined): X509Certificate {
  if (isSecret(value) && value.type === 'bytes') return parseCertificate(value.exposeBytes('file'));
  const block = readPem(takeText(value))?.find(({ label }) => label === 'CERTIFICATE');
  if (block === undefined) throw new BadArgument('takes a certificate in PEM');
  return parseCertificate(Buffer.from(block.base64, 'base64'));
}

const rfc3339 = (time: Date): string => `${time.toISOString().slice(0, 19)}Z`;

const texts = (names: readonly (readonly [kind: string, name: string])[]) => names.map(([, name]) => Secret.text(name));
