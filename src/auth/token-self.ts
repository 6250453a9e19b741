import { fail } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';
import { type Fields, isFields, isSecret, lookUp, plainNumber, plainText, type Value } from '../base/value.ts';
import { type VaultAnswer, type VaultClient, VaultStatusError } from '../client/vault-client.ts';
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

/** `accessor` of an answer about a token: empty for a batch token. */
export function readAccessor(value: Value | undefined): Secret | undefined {
  return isSecret(value) && value.type === 'string' && plainText(value) !== '' ? value : undefined;
}

/** `num_uses` of an answer about a token: 0 or absent is no limit. */
export function readUses(value: Parameters<typeof plainNumber>[0]): number | 'unlimited' {
  const uses = plainNumber(value) ?? 0;
  return uses > 0 ? uses : 'unlimited';
}

/** The server understood and said no: asking the same again gives the same answer. */
export function isRefusal(error: unknown): error is VaultStatusError {
  return error instanceof VaultStatusError && [400, 401, 403, 404, 405].includes(error.status);
}

/** A refused login as AUTH_DENIED with the client's own words; anything else as it is. */
export function asLoginError(error: unknown, place: string, deniedHint?: string): unknown {
  if (!isRefusal(error)) return error;
  const denied = deniedHint === undefined || ![401, 403].includes(error.status) ? {} : { hint: deniedHint };
  const details = error.status === 404 ? { hint: 'No auth method answers there: check mount and namespace.' } : denied;
  return fail('AUTH_DENIED', place, error.failure.seen, details);
}
