import type { Code } from '../../../base/codes.ts';
import { type FailureDetails, failure } from '../../../base/errors.ts';
import { type Fields, isList, plainText } from '../../../base/value.ts';
import { retryAfterMs } from '../../../http/retry-after.ts';
import { VaultStatusError } from './client.ts';
import { rejectionReason } from './rejection-reasons.ts';

/** An answer that is no success, with what is needed to tell about it. */
export interface StatusRefusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Fields;
  /** For messages: the server, and method and path. */
  readonly address: string;
  readonly call: string;
  readonly place: string;
  /** For Retry-After with a date. */
  readonly nowMs: number;
}

/** Reasons for refusing to extend a login, as messages show them. No later renewal of that login goes better. */
const OTHER_CERTIFICATE = 'another client certificate than at the login';
const POLICIES_CHANGED = 'the policies of the role have changed';
/** OpenBao lets Kubernetes review the JWT of a login again at each renewal. */
export const JWT_REVIEWED = 'the JWT of the login is no longer good';
const ROLE_NOT_FOUND_SHOWN = 'role not found';
export const FINAL_AT_RENEWAL: ReadonlySet<string> = new Set([
  OTHER_CERTIFICATE,
  POLICIES_CHANGED,
  JWT_REVIEWED,
  ROLE_NOT_FOUND_SHOWN,
]);

/**
 * What Vault and OpenBao say, as far as we repeat it. `errors[]` may quote the request or hold what a plugin or a
 * database said, so never the text itself is shown, only the entry it contains. The first that matches wins, so the
 * narrow ones come first.
 */
const PHRASES: readonly (readonly [part: string, shown?: string])[] = [
  ['vault is sealed', 'Vault is sealed'],
  ['barrier is sealed', 'Vault is sealed'],
  ['not initialized'],
  ['invalid token'],
  ['bad token'],
  ['missing client token'],
  ['wrapping token is not valid or does not exist'],
  ['invalid role or secret id', 'invalid role or secret ID'],
  ['invalid secret id', 'invalid secret ID'],
  ['invalid role id', 'invalid role ID'],
  ['invalid role name'],
  ['missing role'],
  ['service account name not authorized'],
  ['service account uid not authorized', 'service account UID not authorized'],
  ['namespace not authorized'],
  ['token is expired'],
  ['token expired'],
  ['claim "aud"', 'audience does not match'],
  ['invalid audience (aud) claim', 'audience does not match'],
  ['error validating claims'],
  ['bound claim', 'a bound claim does not match'],
  ['no known key successfully validated', 'signed by no known key'],
  ['error validating token'],
  ['invalid username or password'],
  ['no chain matching all constraints', 'the client certificate matches no role'],
  ['no client certificate supplied', 'client certificate not trusted, or the role unknown'],
  ['no client certificate found', 'no client certificate'],
  ['client identity during renewal', OTHER_CERTIFICATE],
  ['client authority identity during renewal', OTHER_CERTIFICATE],
  ['failed to validate token and secret still exist', JWT_REVIEWED],
  ['policies have changed, not renewing', POLICIES_CHANGED],
  ['ldap operation failed', 'LDAP operation failed'],
  ['namespace not found'],
  ['route entry not found', 'no handler for route'],
  ['no handler for route'],
  ['unsupported path'],
  ['unsupported operation'],
  ['unknown role'],
  ['no value found at'],
  ['lease not found'],
  ['invalid lease'],
  ['lease is not renewable'],
  ['lease expired'],
  ['lease count quota exceeded'],
  ['request path "', 'rate limit quota exceeded'],
  ['rate limit quota exceeded'],
  ['no known role', ROLE_NOT_FOUND_SHOWN],
  ['not allowed by this role'],
  ['common name'],
  ['failed to find issuer'],
  ['required index state not present'],
  ['context deadline exceeded', 'deadline exceeded inside the server'],
  ['internal error'],
  ['permission denied'],
];

const ROLE_NOT_FOUND = /\brole\b.{0,200}\b(?:not found|could not be found|does not exist)\b/;
const RATE_LIMIT = 'request path "';

/** Statuses with a meaning of their own; other 5xx are BACKEND_UNAVAILABLE and the rest BACKEND_MALFORMED. */
const CODE_OF: Readonly<Record<number, Code>> = {
  400: 'BACKEND_REJECTED',
  403: 'SECRET_DENIED',
  404: 'SECRET_NOT_FOUND',
  405: 'BACKEND_REJECTED',
  412: 'BACKEND_NOT_READY',
  429: 'BACKEND_THROTTLED',
  472: 'BACKEND_NOT_READY',
  473: 'BACKEND_NOT_READY',
};

/**
 * An answer's status as a failure. A 403 that says the token itself is invalid asks for a login; a bare "permission
 * denied" does not, though OpenBao answers a revoked token with it: that takes a look-up of the token (`Session`). "bad
 * token" is what Vault says of a token that it is asked about, not of the one that asks.
 */
export function statusError(refusal: StatusRefusal): VaultStatusError {
  const { status, headers, body, address, call, place, nowMs } = refusal;
  const code = CODE_OF[status] ?? (status >= 500 && status <= 599 ? 'BACKEND_UNAVAILABLE' : 'BACKEND_MALFORMED');
  const said = textsOf(body);
  const reason = REASONED.has(code) ? rejectionReason(said) : undefined;
  const phrase = reason ?? knownPhrase(said);
  const details: { -readonly [K in keyof FailureDetails]: FailureDetails[K] } = {
    retryAfterMs: retryAfterMs(headers['retry-after'], nowMs),
  };
  if (code === 'SECRET_DENIED' && phrase === 'invalid token') details.retry = 'login';
  if (phrase === 'Vault is sealed') details.hint = 'Unseal it; retried by itself.';
  const seen = `HTTP ${status} from ${address}${phrase === undefined ? '' : ` (${phrase})`} for ${call}`;
  return new VaultStatusError(failure(code, place, seen, details), status, body, phrase);
}

/** Codes of answers about the request itself, whose texts are those of an engine. */
const REASONED: ReadonlySet<Code> = new Set(['BACKEND_REJECTED', 'BACKEND_UNAVAILABLE']);

/** What `errors[]` says, in lower case. */
function textsOf(body: Fields): readonly string[] {
  const errors = body.get('errors');
  if (!isList(errors)) return [];
  return errors.map((error) => (plainText(error) ?? '').slice(0, 4096).toLowerCase());
}

/** The first known phrase among the texts. */
function knownPhrase(said: readonly string[]): string | undefined {
  for (const [part, shown] of PHRASES) {
    if (said.some((text) => text.includes(part) && (part !== RATE_LIMIT || text.includes('quota'))))
      return shown ?? part;
  }
  return said.some((text) => ROLE_NOT_FOUND.test(text)) ? ROLE_NOT_FOUND_SHOWN : undefined;
}
