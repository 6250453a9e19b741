import type { LeaseLife } from '../../backend/backend.ts';
import { ageMs } from '../../backend/vault/client/age.ts';
import { VaultStatusError } from '../../backend/vault/client/client.ts';
import type { Upstream } from '../../backend/vault/upstream.ts';
import { asFailure, type Failure, PannierError } from '../../base/errors.ts';
import { isFields, plainNumber, plainText } from '../../base/value.ts';
import type { LeaseEntry } from './lease-entry.ts';

export type RenewalResult =
  | { readonly is: 'extended'; readonly life: LeaseLife }
  /** The server said no, and will say it again. */
  | { readonly is: 'refused'; readonly failure: Failure }
  | { readonly is: 'failed'; readonly failure: Failure };

/**
 * Extends a lease or a token by the time that it began with. A lease is renewed under what it ends with, a token under
 * itself. https://openbao.org/api-docs/system/leases/#renew-lease,
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
    if (owner.kind === 'none') throw new TypeError('a lease ends with a token');
    const token = owner.kind === 'login' ? owner.login.token : owner.token;
    const body = { lease_id: life.leaseId, increment };
    const answer = await client.call({ ...common, path: 'sys/leases/renew', body, token }, signal);
    return extended(life, answer.body, nowMs - ageMs(answer));
  } catch (error) {
    const failed = asFailure(error, place);
    const isRefused = error instanceof VaultStatusError && [400, 403, 404, 405].includes(error.status);
    return { is: isRefused || !(error instanceof PannierError) ? 'refused' : 'failed', failure: failed };
  }
}

function extended(life: LeaseLife, told: Parameters<typeof isFields>[0], startedMonoMs: number): RenewalResult {
  const seconds = isFields(told) ? plainNumber(told.get('lease_duration')) : undefined;
  const renewable = isFields(told) && plainText(told.get('renewable')) === 'true';
  return { is: 'extended', life: { ...life, ttlMs: (seconds ?? 0) * 1000, renewable, startedMonoMs } };
}
