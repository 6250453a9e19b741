import type { Secret } from '../../../base/secret.ts';
import { plainNumber, plainText } from '../../../base/value.ts';
import type { LeaseLife, Source } from '../../backend.ts';
import type { Authorized } from '../auth/authorized.ts';
import { malformed } from './answer.ts';

/**
 * Extends leases: PUT sys/leases/renew {lease_id, increment}. https://openbao.org/api-docs/system/leases/#renew-lease
 *
 * Each renewal asks for the life that the lease began with, also when an earlier renewal gave less, as near max_ttl.
 * The lease ends with the login that made it, whichever login renews it.
 * @throws VaultStatusError 400 when the server knows no such lease, 403 when the policy denies it: fetch it again.
 */
export function createRenew(vault: Authorized): NonNullable<Source['renew']> {
  const firstTtlMs = new WeakMap<Secret, number>();
  return async ({ place }, life, signal): Promise<LeaseLife> => {
    const { leaseId } = life;
    const wantedMs = firstTtlMs.get(leaseId) ?? life.ttlMs;
    firstTtlMs.set(leaseId, wantedMs);
    const body = { lease_id: leaseId, increment: Math.ceil(wantedMs / 1000) };
    const call = { method: 'PUT', path: 'sys/leases/renew', body, place, idempotent: true } as const;
    const answer = await vault.call(call, signal);
    const seconds = plainNumber(answer.body.get('lease_duration'));
    if (seconds === undefined || seconds < 0) throw malformed(place, 'a renewal without a lease_duration');
    const renewable = plainText(answer.body.get('renewable')) === 'true';
    return Object.freeze({ ...life, ttlMs: seconds * 1000, renewable, startedMonoMs: answer.startedMonoMs });
  };
}
