import type { X509Certificate } from 'node:crypto';
import { elements, readOid, within } from './der.ts';

const AUTHORITY_KEY_IDENTIFIER = '2.5.29.35';
const KEY_IDENTIFIER = 0x80;

/**
 * How an issuer is asked when a certificate is to be replaced (RFC 9773, section 4.1): the identifier of the issuer's
 * key and the serial number. Undefined for a certificate without that identifier.
 */
export function renewalId(x509: X509Certificate): string | undefined {
  const [certificate] = elements(x509.raw);
  const [body] = certificate === undefined ? [] : within(certificate);
  const parts = body === undefined ? [] : within(body);
  const serial = parts[parts[0]?.tag === 0xa0 ? 1 : 0];
  const [list] = parts.filter(({ tag }) => tag === 0xa3).flatMap(within);
  for (const extension of list === undefined ? [] : within(list)) {
    const [type, ...rest] = within(extension);
    const value = rest.at(-1); // between them may stand whether the extension is critical
    if (type === undefined || value === undefined || readOid(type) !== AUTHORITY_KEY_IDENTIFIER) continue;
    const [sequence] = elements(value.body);
    const key = (sequence === undefined ? [] : within(sequence)).find(({ tag }) => tag === KEY_IDENTIFIER);
    if (key === undefined || serial === undefined) return undefined;
    return `${key.body.toString('base64url')}.${serial.body.toString('base64url')}`;
  }
  return undefined;
}
