import { trimSlashes } from '../../../config/api-path.ts';
import type { CertificateRequest } from '../config/request.ts';

/** The path that issues a certificate, or with a key that is made here signs one. */
export function certificatePath({ issuer, issuerRef, role, key }: CertificateRequest): string {
  const from = issuerRef === undefined ? '' : `/issuer/${issuerRef}`;
  return `${trimSlashes(issuer)}${from}/${key === undefined ? 'issue' : 'sign'}/${role}`;
}
