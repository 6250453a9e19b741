import type { Clock } from '../../../base/clock.ts';
import { fail, type PannierError } from '../../../base/errors.ts';
import { Secret } from '../../../base/secret.ts';
import { equalValues, type Fields, isFields, isSecret, plainNumber, plainText } from '../../../base/value.ts';
import type { Fetch, Fetched, LeaseLife, Life, Want } from '../../backend.ts';
import type { Authorized, AuthorizedAnswer } from '../auth/authorized.ts';

/** What every kind of Vault secret is fetched with. */
export interface VaultSourceDeps {
  readonly vault: Authorized;
  readonly clock: Clock;
  /** A text that no earlier answer of this process has; for values whose backend counts no versions. */
  readonly nextVersion: () => string;
}

/** Fetches one kind of secret; `R` is its request. */
export type FetchKind<R> = (
  ask: { readonly want: Want; readonly request: R; readonly last: Fetched | undefined },
  signal: AbortSignal,
) => Promise<Fetch>;

/**
 * The fields of an answer: its `data`, or else its `auth` (a token made by a write to `auth/token/create`). Warnings
 * are not looked at.
 * @throws PannierError SECRET_EMPTY, BACKEND_MALFORMED
 */
export function readFields(body: Fields, place: string): Fields {
  for (const part of ['data', 'auth']) {
    const value = body.get(part);
    if (value === undefined || (isSecret(value) && value.type === 'null')) continue;
    if (!isFields(value)) throw malformed(place, `${part} is not an object`);
    if (value.size > 0) return value;
  }
  throw fail('SECRET_EMPTY', place, 'the answer holds no data');
}

/**
 * The lease of an answer (https://openbao.org/docs/concepts/lease/), or undefined. A lease that lasts 0 seconds has no
 * end, so it is none to us. A duration without a lease id is a hint (KV v1 prints one), not a lease; but a token made
 * by a write has a life of its own, which ends like a lease that cannot be renewed: its id is empty.
 */
export function readLease({ body, loginId, startedMonoMs }: AuthorizedAnswer): LeaseLife | undefined {
  const told = (fields: Fields, leaseId: Secret, renewable: boolean): LeaseLife | undefined => {
    const seconds = plainNumber(fields.get('lease_duration')) ?? 0;
    return seconds > 0
      ? { kind: 'lease', leaseId, ttlMs: seconds * 1000, renewable, startedMonoMs, loginId }
      : undefined;
  };
  const leaseId = body.get('lease_id');
  if (isSecret(leaseId) && leaseId.type === 'string' && plainText(leaseId) !== '') {
    return told(body, leaseId, plainText(body.get('renewable')) === 'true');
  }
  const auth = body.get('auth');
  return isFields(auth) ? told(auth, Secret.text(''), false) : undefined;
}

/**
 * An answer whose backend counts no versions: unchanged means equal fields. What a lease brings is new, unless it is
 * the lease that we hold: then a cache on the way answered, and what is known of its life stays.
 * @param uncounted a field that differs each time and means nothing (a countdown).
 */
export function settleFetch(
  {
    last,
    fields,
    life,
    uncounted,
  }: { last: Fetched | undefined; fields: Fields; life: Life; uncounted?: string | undefined },
  nextVersion: () => string,
): Fetch {
  if (last === undefined || !equalExcept(last.fields, fields, uncounted === undefined ? [] : [uncounted])) {
    return changed(fields, nextVersion(), life);
  }
  if (life.kind !== 'lease') return { state: 'unchanged', life };
  if (last.life.kind === 'lease' && last.life.leaseId.equals(life.leaseId)) {
    return { state: 'unchanged', life: Object.freeze({ ...last.life, loginId: life.loginId }) };
  }
  return changed(fields, nextVersion(), life);
}

export function changed(fields: Fields, version: string, life: Life): Fetch {
  return Object.freeze({ state: 'changed', value: Object.freeze({ fields, version, life: Object.freeze(life) }) });
}

export function malformed(place: string, seen: string): PannierError {
  return fail('BACKEND_MALFORMED', place, seen);
}

/** Whether an answer is the one before, but for some fields. */
export function equalExcept(a: Fields, b: Fields, uncounted: readonly string[]): boolean {
  if (uncounted.length === 0) return equalValues(a, b);
  const rest = (fields: Fields) => new Map([...fields].filter(([name]) => !uncounted.includes(name)));
  return equalValues(rest(a), rest(b));
}
