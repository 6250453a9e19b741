import type { Code } from '../../../base/codes.ts';
import { fail, PannierError } from '../../../base/errors.ts';
import type { Secret } from '../../../base/secret.ts';
import { type Fields, isFields, isSecret, lookUp, plainNumber, plainText, type Value } from '../../../base/value.ts';
import { ageMs } from '../client/age.ts';
import { type VaultAnswer, type VaultClient, VaultStatusError } from '../client/client.ts';
import { FINAL_AT_RENEWAL, JWT_REVIEWED } from '../client/status.ts';
import type { Login } from './method.ts';

/** What a login is asked about itself. Every one of these calls uses up one use of a token with limited uses. */
export interface TokenSelf {
  readonly client: VaultClient;
  readonly token: Secret;
  /** Configuration path of the login, for errors. */
  readonly place: string;
}

/**
 * GET auth/token/lookup-self. OpenBao answers a revoked token with the same 403 as a policy that denies this path.
 * https://openbao.org/api-docs/auth/token/#lookup-a-token-self
 */
export function lookUpSelf({ client, token, place }: TokenSelf, signal: AbortSignal): Promise<VaultAnswer> {
  return client.call({ method: 'GET', path: 'auth/token/lookup-self', token, place, idempotent: true }, signal);
}

/**
 * POST auth/token/renew-self, without an increment: the server then grants the token's own time to live.
 * https://openbao.org/api-docs/auth/token/#renew-a-token-self
 */
export function renewSelf({ client, token, place }: TokenSelf, signal: AbortSignal): Promise<VaultAnswer> {
  const path = 'auth/token/renew-self';
  return client.call({ method: 'POST', path, body: {}, token, place, idempotent: true }, signal);
}

/**
 * POST auth/token/revoke-self: the token and every lease made under it end.
 * https://openbao.org/api-docs/auth/token/#revoke-a-token-self
 */
export function revokeSelf({ client, token, place }: TokenSelf, signal: AbortSignal): Promise<VaultAnswer> {
  const path = 'auth/token/revoke-self';
  return client.call({ method: 'POST', path, body: {}, token, place, idempotent: true }, signal);
}

/**
 * The `auth` block of a login's or a renewal's answer. A token with lease_duration 0 never ends; num_uses 0 or absent
 * means without limit. https://openbao.org/api-docs/auth/kubernetes/#login
 *
 * @throws PannierError AUTH_UNUSABLE when there is no token in it.
 */
export function readAuthBlock(body: Fields, startedMonoMs: number, place: string): Login {
  const auth = body.get('auth');
  if (!isFields(auth)) throw fail('AUTH_UNUSABLE', place, 'the answer holds no login');
  if (isFields(auth.get('mfa_requirement'))) {
    const hint = 'Use a role without MFA: nobody is there to answer.';
    throw fail('AUTH_UNUSABLE', place, 'the login asks for a second factor', { hint });
  }
  const token = auth.get('client_token');
  if (!isSecret(token) || token.type !== 'string' || plainText(token) === '') {
    throw fail('AUTH_UNUSABLE', place, 'the answer holds no token');
  }
  const seconds = plainNumber(auth.get('lease_duration')) ?? 0;
  return {
    token,
    accessor: readAccessor(auth.get('accessor')),
    ttlMs: seconds > 0 ? seconds * 1000 : 'forever',
    renewable: plainText(auth.get('renewable')) === 'true',
    usesLeft: readUses(lookUp(auth, 'num_uses')),
    startedMonoMs,
  };
}

/**
 * What `auth/token/lookup-self` says about the life of a token: `ttl` is whole seconds left, 0 for a token without end,
 * which is told by an absent or null `expire_time`.
 *
 * @throws PannierError AUTH_UNUSABLE
 */
export function readTokenLife(body: Fields, place: string): Omit<Login, 'token' | 'startedMonoMs'> {
  const data = body.get('data');
  if (!isFields(data)) throw fail('AUTH_UNUSABLE', place, 'the answer about the token holds no data');
  const seconds = plainNumber(data.get('ttl')) ?? 0;
  const expires = data.get('expire_time');
  const ends = isSecret(expires) && expires.type === 'string' && plainText(expires) !== '';
  if (seconds <= 0 && ends) throw fail('AUTH_UNUSABLE', place, 'the token ends within a second');
  return {
    accessor: readAccessor(data.get('accessor')),
    ttlMs: seconds > 0 ? seconds * 1000 : 'forever',
    renewable: plainText(data.get('renewable')) === 'true',
    usesLeft: readUses(data.get('num_uses')),
  };
}

/** `accessor` of an answer about a token: empty for a batch token. */
function readAccessor(value: Value | undefined): Secret | undefined {
  return isSecret(value) && value.type === 'string' && plainText(value) !== '' ? value : undefined;
}

/** `num_uses` of an answer about a token: 0 or absent is no limit. */
function readUses(value: Parameters<typeof plainNumber>[0]): number | 'unlimited' {
  const uses = plainNumber(value) ?? 0;
  return uses > 0 ? uses : 'unlimited';
}

/** The server understood and said no: asking the same again gives the same answer. */
export function isRefusal(error: unknown): error is VaultStatusError {
  return error instanceof VaultStatusError && [400, 401, 403, 404, 405].includes(error.status);
}

/** What is known of a credential that the server refused. */
export interface Denied {
  readonly code: Extract<Code, 'AUTH_DENIED' | 'AUTH_EXPIRED'>;
  /** What the credential says about itself; no part of it that lets anybody in. */
  readonly seen: string;
  readonly hint: string;
}

/** A refused login as AUTH_DENIED, or as `denied` says, with the client's own words; anything else as it is. */
export function asVaultLoginError(error: unknown, place: string, denied?: Denied): unknown {
  if (!isRefusal(error)) return error;
  const { seen } = error.failure;
  if (error.status === 404) {
    return fail('AUTH_DENIED', place, seen, { hint: 'No auth method answers there: check mount and namespace.' });
  }
  if (denied === undefined || error.status === 405) return fail('AUTH_DENIED', place, seen);
  return fail(denied.code, place, `${seen}; ${denied.seen}`, { hint: denied.hint });
}

/**
 * The life that a renewal told.
 * @throws PannierError AUTH_DENIED when the auth method extends nothing (204): what the login was made for is gone;
 * AUTH_UNUSABLE.
 */
export function readRenewal(answer: VaultAnswer, startedMonoMs: number, place: string): Login {
  if (answer.status === 204) {
    const seen = 'the server extends the login no more: its user or role is gone';
    throw fail('AUTH_DENIED', place, seen, { hint: 'A new login is made instead.' });
  }
  return readAuthBlock(answer.body, startedMonoMs - ageMs(answer), place);
}

/**
 * The server will never extend this login: it understood and said no, or the auth method failed for a reason that stays
 * (Vault and OpenBao answer 500 then).
 */
export function isFinalAtRenewal(error: unknown): boolean {
  if (isRefusal(error)) return true;
  if (error instanceof PannierError && error.failure.code === 'AUTH_DENIED') return true;
  return error instanceof VaultStatusError && error.phrase !== undefined && FINAL_AT_RENEWAL.has(error.phrase);
}

/** OpenBao lets Kubernetes review the JWT of a login at each renewal, and Kubernetes said no. */
export function isReviewRefused(error: unknown): boolean {
  return error instanceof VaultStatusError && error.phrase === JWT_REVIEWED;
}

/** Why a login is not extended, with what happens next; anything but a refusal as it is. */
export function asRenewalError(error: unknown, place: string, credentialHasEnded: boolean): unknown {
  if (!(error instanceof VaultStatusError) || !isFinalAtRenewal(error)) return error;
  const { seen } = error.failure;
  if (isReviewRefused(error)) {
    const docs = 'See "How long a login lasts" in docs/how-to/kubernetes.md.';
    if (credentialHasEnded) {
      const hint = `A new login is made with the token file, and leases anew. Let expirationSeconds be longer. ${docs}`;
      return fail('AUTH_EXPIRED', place, `${seen}: it has expired since the login`, { hint });
    }
    return fail('AUTH_DENIED', place, seen, { hint: `Check that pod and service account still exist. ${docs}` });
  }
  const hint =
    error.status === 403 && (error.phrase === undefined || error.phrase === 'permission denied')
      ? 'A new login is made instead. Allow auth/token/renew-self (the default policy does) to keep leases longer.'
      : 'A new login is made instead.';
  return fail('AUTH_DENIED', place, seen, { hint });
}
