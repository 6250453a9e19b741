import type { LeaseLife } from '../../backend/backend.ts';
import { ageMs } from '../../backend/vault/client/age.ts';
import { VaultStatusError } from '../../backend/vault/client/client.ts';
import type { Upstream } from '../../backend/vault/upstream.ts';
import { asFailure, type Failure, PannierError } from '../../base/errors.ts';
import { isFields, plainNumber, plainText } from '../../base/value.ts';
import type { LeaseEntry } from './lease-entry.ts';

export type RenewalResult =
  | { readonly is: 'extended'; readonly life: LeaseLife }
  /** The server refused, and would refuse again. */
  | { readonly is: 'refused'; readonly failure: Failure }
  /** The renewal may succeed later. */
  | { readonly is: 'failed'; readonly failure: Failure };

/**
 * Extends a lease or a token by the time to live that it began with. A lease is renewed under the token that owns it, a
 * token under itself. https://openbao.org/api-docs/system/leases/#renew-lease,
 * https://openbao.org/api-docs/auth/token/#renew-a-token-self
 */
export async function renewEntry(
  { client, place }: Upstream,
  entry: LeaseEntry,
  nowMs: number,
  signal: AbortSignal,
): Promise<RenewalResult> {
  const { leased, owner, namespace } = entry;
  const { life } = leased;
  const increment = Math.ceil(entry.firstTtlMs / 1000);
  const common = { method: 'POST', place, idempotent: true, namespace } as const;
  try {
    if (leased.kind === 'token') {
      const path = 'auth/token/renew-self';
      const renewed = await client.call({ ...common, path, body: { increment }, token: leased.token }, signal);
      return extended(life, renewed.body.get('auth'), nowMs - ageMs(renewed));
    }
    if (owner.kind === 'none') throw new TypeError('a lease without an owner');
    const token = owner.kind === 'login' ? owner.login.token : owner.token;
    const body = { lease_id: life.leaseId, increment };
    const answer = await client.call({ ...common, path: 'sys/leases/renew', body, ...(token && { token }) }, signal);
    return extended(life, answer.body, nowMs - ageMs(answer));
  } catch (error) {
    const failed = asFailure(error, place);
    const isRefused = error instanceof VaultStatusError && [400, 403, 404, 405].includes(error.status);
    return { is: isRefused || !(error instanceof PannierError) ? 'refused' : 'failed', failure: failed };
  }
}

function extended(life: LeaseLife, answer: Parameters<typeof isFields>[0], startedMonoMs: number): RenewalResult {
  const seconds = isFields(answer) ? plainNumber(answer.get('lease_duration')) : undefined;
  const renewable = isFields(answer) && plainText(answer.get('renewable')) === 'true';
  return { is: 'extended', life: { ...life, ttlMs: (seconds ?? 0) * 1000, renewable, startedMonoMs } };
}
