import { deadline } from '../../../base/deadline.ts';
import { failure } from '../../../base/errors.ts';
import { onAbort } from '../../../base/on-abort.ts';
import { trimSlashes } from '../../../config/api-path.ts';
import type { Want } from '../../backend.ts';
import type { CertificateRequest } from '../config/request.ts';
import type { VaultCertificateDeps } from './certificate-deps.ts';

/**
 * Revokes a certificate that was replaced, after a grace in which the application takes the new one up:
 * https://openbao.org/api-docs/secret/pki/#revoke-certificate. A failure is a warning: the certificate ends by itself.
 * What waits when the agent stops is not revoked.
 */
export function revokeLater(
  { vault, clock, emit, stop }: VaultCertificateDeps,
  { place, request }: { readonly place: Want['place']; readonly request: CertificateRequest },
  serial: string,
  afterMs: number,
): void {
  const path = `${trimSlashes(request.issuer)}/revoke`;
  const revoke = async () => {
    if (stop.aborted) return;
    try {
      await vault.call({ method: 'POST', path, body: { serial_number: serial }, place, idempotent: true }, stop);
    } catch {
      if (stop.aborted) return;
      const seen = `the replaced certificate ${serial} could not be revoked`;
      emit({ kind: 'agent-warning', warning: failure('CERTIFICATE_NOT_REVOKED', place, seen) });
    }
  };
  let stopListening = () => {};
  const cancel = deadline(clock, afterMs, () => {
    stopListening();
    void revoke();
  });
  stopListening = onAbort(stop, cancel);
}
