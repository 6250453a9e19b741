import { Secret } from '../base/secret.ts';
import type { Fields, Value } from '../base/value.ts';
import type { CheckedCertificate } from '../certificate/check.ts';
import { keyPem, type PrivateKeyFormat } from '../certificate/local-key.ts';
import type { CertificateLife } from './backend.ts';

/** The names of the fields of every certificate, wherever it comes from, see docs/certificates.md. */
export const CERTIFICATE_FIELDS = [
  'certificate',
  'privateKey',
  'privateKeyType',
  'issuingCa',
  'caChain',
  'serialNumber',
  'expiration',
] as const;

/** The fields of a certificate, the same as of one that a PKI engine issues. */
export function certificateFields(
  { leaf, key, chain }: CheckedCertificate,
  format: PrivateKeyFormat = 'pkcs8',
): Fields {
  const [issuingCa] = chain;
  const text = (pem: string) => Secret.text(pem.trimEnd());
  return new Map<(typeof CERTIFICATE_FIELDS)[number], Value>([
    ['certificate', text(leaf.toString())],
    ['privateKey', text(keyPem(key, format))],
    ['privateKeyType', Secret.text(key.asymmetricKeyType ?? '')],
    ...(issuingCa === undefined ? [] : [['issuingCa', text(issuingCa)] as const]),
    ['caChain', chain.map(text)],
    ['serialNumber', Secret.text(serialOf(leaf.serialNumber))],
    ['expiration', Secret.number(String(Math.floor(leaf.validToDate.getTime() / 1000)))],
  ]);
}

export function certificateLife({ leaf }: Pick<CheckedCertificate, 'leaf'>): CertificateLife {
  return {
    kind: 'certificate',
    notBeforeMs: leaf.validFromDate.getTime(),
    notAfterMs: leaf.validToDate.getTime(),
  };
}

/** The serial number in the form of the PKI engine: `0a:1b`, where Node has `0A1B`. */
export function serialOf(serialNumber: string): string {
  return (serialNumber.toLowerCase().match(/../g) ?? []).join(':');
}
