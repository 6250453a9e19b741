import type { X509Certificate } from 'node:crypto';
import { formatDuration } from '../../../base/duration.ts';
import { type Failure, failure } from '../../../base/errors.ts';
import type { CertificateRequest } from '../config/request.ts';

/** What a server may give less than was asked for without a word: it rounds, and its clock is another one. */
const TOLERANCE_MS = 60_000;

const HINT = 'Raise max_ttl of the role, renew the CA, or ask for less.';

/** A warning when a certificate ends much earlier than it was asked for: the role or the CA allows no longer life. */
export function warnOfShortLife(
  leaf: X509Certificate,
  { ttl, notAfter }: CertificateRequest,
  { place, nowMs }: { readonly place: string; readonly nowMs: number },
): Failure | undefined {
  const endMs = leaf.validToDate.getTime();
  if (notAfter !== undefined && Date.parse(notAfter) - endMs > TOLERANCE_MS) {
    const seen = `the certificate ends at ${leaf.validToDate.toISOString()}, before notAfter`;
    return failure('CERTIFICATE_SHORTENED', place, seen, { hint: HINT });
  }
  const askedMs = ttl === undefined ? 0 : Number.parseInt(ttl, 10) * 1000;
  const givenMs = endMs - nowMs;
  if (askedMs - givenMs <= Math.max(TOLERANCE_MS, askedMs / 20)) return undefined;
  const minute = 60_000;
  const given = formatDuration(givenMs < minute ? givenMs : Math.round(givenMs / minute) * minute);
  const seen = `the certificate lives ${given}, and ttl is ${formatDuration(askedMs)}`;
  return failure('CERTIFICATE_SHORTENED', place, seen, { hint: HINT });
}
