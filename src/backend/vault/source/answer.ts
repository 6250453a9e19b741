import type { Clock } from '../../../base/clock.ts';
import { type Failure, fail, type PannierError } from '../../../base/errors.ts';
import type { Emit } from '../../../base/fact.ts';
import { Secret } from '../../../base/secret.ts';
import { equalValues, type Fields, isFields, isSecret, plainNumber, plainText } from '../../../base/value.ts';
import type { Fetch, Fetched, LeaseLife, Life, Want } from '../../backend.ts';
import type { Authorized, AuthorizedAnswer } from '../auth/authorized.ts';

/** What the fetches of all kinds of Vault secrets need. */
export interface VaultSourceDeps {
  readonly vault: Authorized;
  readonly clock: Clock;
  readonly emit: Emit;
  /** Returns a version that no value had before, for values whose engine counts no versions. */
  readonly nextVersion: () => string;
}

/** Fetches one kind of secret; `R` is its request. */
export type FetchKind<R> = (
  ask: { readonly want: Want; readonly request: R; readonly last: Fetched | undefined },
  signal: AbortSignal,
) => Promise<Fetch>;

/**
 * The fields of an answer: its `data`, or else its `auth` (a token made by a write to `auth/token/create`). Warnings in
 * the answer are ignored.
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
 * The lease of an answer (https://openbao.org/docs/concepts/lease/), or undefined. A lease of 0 seconds has no end, and
 * does not count as one. A duration without a lease id is only a hint, as KV v1 gives one. A token that a write made
 * has its own life, which is returned as a lease that cannot be renewed, with an empty id.
 */
export function readLease({ body, loginId, startedMonoMs }: AuthorizedAnswer): LeaseLife | undefined {
  const leaseOf = (fields: Fields, leaseId: Secret, renewable: boolean): LeaseLife | undefined => {
    const seconds = plainNumber(fields.get('lease_duration')) ?? 0;
    return seconds > 0
      ? { kind: 'lease', leaseId, ttlMs: seconds * 1000, renewable, startedMonoMs, loginId }
      : undefined;
  };
  const leaseId = body.get('lease_id');
  if (isSecret(leaseId) && leaseId.type === 'string' && plainText(leaseId) !== '') {
    return leaseOf(body, leaseId, plainText(body.get('renewable')) === 'true');
  }
  const auth = body.get('auth');
  return isFields(auth) ? leaseOf(auth, Secret.text(''), false) : undefined;
}

/**
 * Makes the result of a fetch whose engine counts no versions: equal fields mean unchanged. A value with another lease
 * is a new value. With the lease that is held already, a cache on the way answered, so the life stays as it is known.
 * @param uncounted names a field that may differ without a change, such as a countdown.
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

export function changed(fields: Fields, version: string, life: Life, warning?: Failure): Fetch {
  const value = { fields, version, life: Object.freeze(life), ...(warning === undefined ? {} : { warning }) };
  return Object.freeze({ state: 'changed', value: Object.freeze(value) });
}

export function malformed(place: string, seen: string): PannierError {
  return fail('BACKEND_MALFORMED', place, seen);
}

/** Whether two values are equal in all fields except `uncounted`. */
export function equalExcept(a: Fields, b: Fields, uncounted: readonly string[]): boolean {
  if (uncounted.length === 0) return equalValues(a, b);
  const rest = (fields: Fields) => new Map([...fields].filter(([name]) => !uncounted.includes(name)));
  return equalValues(rest(a), rest(b));
}
