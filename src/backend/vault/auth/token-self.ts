import type { Code } from '../../../base/codes.ts';
import { fail, PannierError } from '../../../base/errors.ts';
import type { Secret } from '../../../base/secret.ts';
import { type Fields, isFields, isSecret, lookUp, plainNumber, plainText, type Value } from '../../../base/value.ts';
import { ageMs } from '../client/age.ts';
import { type VaultAnswer, type VaultClient, VaultStatusError } from '../client/client.ts';
import { FINAL_AT_RENEWAL, JWT_REVIEWED } from '../client/renewal-refusals.ts';
import type { Login } from './method.ts';

/** For calls of a token about itself. Each such call is one use of a token with limited uses. */
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
 * Reads the `auth` block of the answer to a login or a renewal. A token with lease_duration 0 never ends; num_uses 0 or
 * absent means no limit. https://openbao.org/api-docs/auth/kubernetes/#login
 *
 * @throws PannierError AUTH_UNUSABLE when the answer holds no token.
 */
export function readAuthBlock(body: Fields, startedMonoMs: number, place: string): Login {
  const auth = body.get('auth');
  if (!isFields(auth)) throw fail('AUTH_UNUSABLE', place, 'the answer holds no login');
  if (isFields(auth.get('mfa_requirement'))) {
    const hint = 'Use a role without MFA: the agent cannot give a second factor.';
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
 * Reads the life of a token from the answer of `auth/token/lookup-self`. `ttl` is the whole seconds that are left; 0
 * with an absent or null `expire_time` means that the token never ends.
 *
 * @throws PannierError AUTH_UNUSABLE when the answer holds no data, or the token ends within a second.
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

/** Reads `accessor`; undefined for a batch token, whose accessor is empty. */
function readAccessor(value: Value | undefined): Secret | undefined {
  return isSecret(value) && value.type === 'string' && plainText(value) !== '' ? value : undefined;
}

/** Reads `num_uses`: 0 or absent is no limit. */
function readUses(value: Parameters<typeof plainNumber>[0]): number | 'unlimited' {
  const uses = plainNumber(value) ?? 0;
  return uses > 0 ? uses : 'unlimited';
}

/** Whether the server refused the request in a way that another try would not change. */
export function isRefusal(error: unknown): error is VaultStatusError {
  return error instanceof VaultStatusError && [400, 401, 403, 404, 405].includes(error.status);
}

/** What is known about a credential, for when the server refuses it. */
export interface Denied {
  readonly code: Extract<Code, 'AUTH_DENIED' | 'AUTH_EXPIRED'>;
  /** What the credential states about itself; it holds no part that would be enough to log in. */
  readonly seen: string;
  readonly hint: string;
}

/** Turns a refused login into AUTH_DENIED, or into what `denied` says; any other error is returned as it is. */
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
 * Reads the life that a renewal gave.
 * @throws PannierError AUTH_DENIED when the server answers 204, as it does when the user or role of the login no longer
 * exists; AUTH_UNUSABLE.
 */
export function readRenewal(answer: VaultAnswer, startedMonoMs: number, place: string): Login {
  if (answer.status === 204) {
    const seen = 'the server no longer extends the login: its user or role does not exist any more';
    throw fail('AUTH_DENIED', place, seen, { hint: 'A new login is made instead.' });
  }
  return readAuthBlock(answer.body, startedMonoMs - ageMs(answer), place);
}

/**
 * Whether the server will never extend this login: it refused the renewal, or the auth method failed for a permanent
 * reason (Vault and OpenBao answer 500 then).
 */
export function isFinalAtRenewal(error: unknown): boolean {
  if (isRefusal(error)) return true;
  if (error instanceof PannierError && error.failure.code === 'AUTH_DENIED') return true;
  return error instanceof VaultStatusError && error.phrase !== undefined && FINAL_AT_RENEWAL.has(error.phrase);
}

/** Whether Kubernetes refused the JWT of the login, which OpenBao lets it review at each renewal. */
export function isReviewRefused(error: unknown): boolean {
  return error instanceof VaultStatusError && error.phrase === JWT_REVIEWED;
}

/** Turns a refused renewal into a failure that says what happens next; any other error is returned as it is. */
export function asRenewalError(error: unknown, place: string, credentialHasEnded: boolean): unknown {
  if (!(error instanceof VaultStatusError) || !isFinalAtRenewal(error)) return error;
  const { seen } = error.failure;
  if (isReviewRefused(error)) {
    const docs = 'See "How long a login lasts" in docs/how-to/kubernetes.md.';
    if (credentialHasEnded) {
      const hint = `A new login is made, and leases are fetched again. Use a longer expirationSeconds. ${docs}`;
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
