import type { X509Certificate } from 'node:crypto';
import { Secret } from '../../base/secret.ts';
import { isSecret, type Value } from '../../base/value.ts';
import { readPem } from '../text/pem.ts';
import { parseCertificate } from './chain.ts';
import { BadArgument, type Helper, takeOneOf, takeText } from './helper.ts';

/** Every FIELD of a certificate. */
const FIELDS = {
  subject: ({ subject }) => Secret.text(oneLine(subject)),
  issuer: ({ issuer }) => Secret.text(oneLine(issuer)),
  serial: ({ serialNumber }) => Secret.text(colons(serialNumber)),
  notBefore: ({ validFromDate }) => Secret.text(rfc3339(validFromDate)),
  notAfter: ({ validToDate }) => Secret.text(rfc3339(validToDate)),
  sans: (certificate) => namesOf(certificate).map(([kind, name]) => Secret.text(`${kind}:${name}`)),
  dnsNames: (certificate) => texts(namesOf(certificate).filter(([kind]) => kind === 'DNS')),
  ipAddresses: (certificate) => texts(namesOf(certificate).filter(([kind]) => kind === 'IP')),
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

/** Node gives the parts of a name one per line, from the root down; RFC 4514 begins with the last. */
const oneLine = (name: string | undefined): string => (name ?? '').split('\n').reverse().join(',');

const colons = (hex: string): string => (hex.toLowerCase().match(/../g) ?? []).join(':');

const rfc3339 = (time: Date): string => `${time.toISOString().slice(0, 19)}Z`;

const texts = (names: readonly (readonly [kind: string, name: string])[]) => names.map(([, name]) => Secret.text(name));

/** `DNS:a, IP Address:10.0.0.1, DirName:"…"`. Node writes a name that holds a comma or the like as a JSON string. */
const ALT_NAME = /([^:,]+):((?:"(?:\\.|[^"\\])*"|[^,"])*)(?:, |$)/g;

function namesOf({ subjectAltName = '' }: X509Certificate): (readonly [kind: string, name: string])[] {
  return [...subjectAltName.matchAll(ALT_NAME)].map(([, kind = '', name = '']) => {
    if (kind === 'IP Address') return ['IP', IPV6.test(name) ? shortest(name) : name];
    return [kind, name.startsWith('"') ? (JSON.parse(name) as string) : name];
  });
}

/** An IPv6 address as OpenSSL writes it. Other texts, such as `<invalid>`, stay as they are. */
const IPV6 = /^[0-9A-F]{1,4}(?::[0-9A-F]{1,4}){7}$/;

/** An IPv6 address as RFC 5952 writes it. */
const shortest = (address: string): string => new URL(`http://[${address}]`).hostname.slice(1, -1);
