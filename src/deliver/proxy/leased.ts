import type { LeaseLife } from '../../backend/backend.ts';
import type { RequestLogin } from '../../backend/vault/auth/method.ts';
import type { Secret } from '../../base/secret.ts';
import { type Fields, isFields, isSecret, plainNumber, plainText } from '../../base/value.ts';

/** The owner of a lease or token, with which it ends: the agent's login, a token made through the proxy, or none. */
export type LeaseOwner =
  | { readonly kind: 'login'; readonly login: RequestLogin }
  | { readonly kind: 'token'; readonly digest: string; readonly token: Secret }
  | { readonly kind: 'none' };

/** A lease or a token that an answer brought, which lives on at the server. */
export type LeasedValue = { readonly life: LeaseLife } & (
  | { readonly kind: 'lease'; readonly leaseId: string }
  | { readonly kind: 'token'; readonly token: Secret; readonly accessor: string; readonly isOrphan: boolean }
);

/**
 * The renewable lease or token of an answer. `none`: the answer has neither. `unsupported`: it has one that is not
 * kept, because it cannot be renewed, counts its uses, or is wrapped.
 * https://openbao.org/docs/concepts/lease/, https://openbao.org/api-docs/auth/token/#create-token
 */
export function readLeased(body: Fields, startedMonoMs: number, loginId: number): LeasedValue | 'none' | 'unsupported' {
  const leaseId = body.get('lease_id');
  const auth = body.get('auth');
  if (isFields(body.get('wrap_info'))) return 'unsupported';
  if (isFields(auth)) return readToken(auth, startedMonoMs, loginId);
  if (!isSecret(leaseId) || leaseId.type !== 'string' || plainText(leaseId) === '') return 'none';
  const life = readLife(body, leaseId, startedMonoMs, loginId);
  return life === undefined ? 'unsupported' : { kind: 'lease', life, leaseId: leaseId.exposeText('backend') };
}

function readToken(auth: Fields, startedMonoMs: number, loginId: number): LeasedValue | 'unsupported' {
  const token = auth.get('client_token');
  if (!isSecret(token) || token.type !== 'string' || plainText(token) === '') return 'unsupported';
  if ((plainNumber(auth.get('num_uses')) ?? 0) > 0) return 'unsupported';
  const life = readLife(auth, token, startedMonoMs, loginId);
  if (life === undefined) return 'unsupported';
  const isOrphan = plainText(auth.get('orphan')) === 'true';
  return { kind: 'token', life, token, accessor: plainText(auth.get('accessor')) ?? '', isOrphan };
}

function readLife(from: Fields, leaseId: Secret, startedMonoMs: number, loginId: number): LeaseLife | undefined {
  const seconds = plainNumber(from.get('lease_duration')) ?? 0;
  if (seconds <= 0 || plainText(from.get('renewable')) !== 'true') return undefined;
  return { kind: 'lease', leaseId, ttlMs: seconds * 1000, renewable: true, startedMonoMs, loginId };
}
