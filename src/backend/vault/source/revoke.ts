import { fail } from '../../../base/errors.ts';
import { plainText } from '../../../base/value.ts';
import { trimSlashes } from '../../../config/api-path.ts';
import type { OldValue, Want } from '../../backend.ts';
import type { Authorized } from '../auth/authorized.ts';
import type { VaultRequest } from '../config/request.ts';

/**
 * Ends a value that was replaced.
 *
 * - A lease: PUT sys/leases/revoke, https://openbao.org/api-docs/system/leases/#revoke-lease. With `sync` the answer
 *   comes when the credential is gone, and says whether that failed. To the servers a lease that they do not know any
 *   more is revoked.
 * - A certificate: POST ISSUER/revoke, https://openbao.org/api-docs/secret/pki/#revoke-certificate.
 * @throws PannierError LEASE_NOT_REVOKED when the answer named no lease; else what `vault` throws.
 */
export async function revoke(vault: Authorized, want: Want, old: OldValue, signal: AbortSignal): Promise<void> {
  const { place } = want;
  const request = want.request as VaultRequest;
  if (request.kind === 'vault-certificate') {
    const path = `${trimSlashes(request.issuer)}/revoke`;
    const body = { serial_number: old.version };
    await vault.call({ method: 'POST', path, body, place, idempotent: true }, signal);
    return;
  }
  const leaseId = old.life.kind === 'lease' ? plainText(old.life.leaseId) : undefined;
  if (leaseId === undefined || leaseId === '') {
    const hint = 'Remove revokeOld: a token that a write makes has no lease id, and ends by its own life.';
    throw fail('LEASE_NOT_REVOKED', place, 'the answer that the value came with names no lease', { hint });
  }
  const body = { lease_id: leaseId, sync: true };
  await vault.call({ method: 'PUT', path: 'sys/leases/revoke', body, place, idempotent: true }, signal);
}
