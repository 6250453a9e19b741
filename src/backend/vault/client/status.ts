import type { Code } from '../../../base/codes.ts';
import { type FailureDetails, failure } from '../../../base/errors.ts';
import { type Fields, isList, plainText } from '../../../base/value.ts';
import { retryAfterMs } from '../../../http/retry-after.ts';
import { VaultStatusError } from './client.ts';
import { rejectionReason } from './rejection-reasons.ts';
import { JWT_REVIEWED, OTHER_CERTIFICATE, POLICIES_CHANGED, ROLE_NOT_FOUND_SHOWN } from './renewal-refusals.ts';

/** An answer with an error status, and what messages say about it. */
export interface StatusRefusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Fields;
  /** The address of the server, for messages. */
  readonly address: string;
  /** Method and path, for messages. */
  readonly call: string;
  /** Configuration path, for errors. */
  readonly place: string;
  /** On the wall clock, to read a Retry-After that is a date. */
  readonly nowMs: number;
}

/**
 * The parts of error texts of Vault and OpenBao that messages show. `errors[]` may quote the request, or hold the words
 * of a plugin or a database, so a text itself is never shown, only the entry that it contains. The first entry that
 * matches wins, so the narrow ones come first.
 */
const PHRASES: readonly (readonly [part: string, shown?: string])[] = [
  ['vault is sealed', 'Vault is sealed'],
  ['barrier is sealed', 'Vault is sealed'],
  ['namespace is sealed'],
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

/** Codes of statuses; other 5xx are BACKEND_UNAVAILABLE, and the rest are BACKEND_MALFORMED. */
const CODE_OF: Readonly<Record<number, Code>> = {
  400: 'BACKEND_REJECTED',
  403: 'SECRET_DENIED',
  404: 'SECRET_NOT_FOUND',
  405: 'BACKEND_REJECTED',
  407: 'BACKEND_UNREACHABLE',
  412: 'BACKEND_NOT_READY',
  429: 'BACKEND_THROTTLED',
  472: 'BACKEND_NOT_READY',
  473: 'BACKEND_NOT_READY',
};

/**
 * Makes the failure of an answer with an error status. A 403 that calls the token itself invalid asks for a new login.
 * A bare "permission denied" does not, though OpenBao answers so to a revoked token: `Session.suspect` finds that out.
 * "bad token" does not either: Vault says it about a token that the request is about, not about the token it came with.
 */
export function statusError(refusal: StatusRefusal): VaultStatusError {
  const { status, headers, body, address, call, place, nowMs } = refusal;
  const code = CODE_OF[status] ?? (status >= 500 && status <= 599 ? 'BACKEND_UNAVAILABLE' : 'BACKEND_MALFORMED');
  const texts = textsOf(body);
  const reason = REASONED.has(code) ? rejectionReason(texts) : undefined;
  const phrase = reason ?? knownPhrase(texts);
  const details: { -readonly [K in keyof FailureDetails]: FailureDetails[K] } = {
    retryAfterMs: retryAfterMs(headers['retry-after'], nowMs),
  };
  if (code === 'SECRET_DENIED' && phrase === 'invalid token') details.retry = 'login';
  if (status === 407)
    details.hint = 'Check the credentials in HTTP_PROXY, and NO_PROXY for addresses inside the cluster.';
  if (phrase === 'namespace is sealed')
    details.hint = 'Unseal the namespace; the request is retried without a restart.';
  if (phrase === 'Vault is sealed') details.hint = 'Unseal the server; the request is retried without a restart.';
  const seen = `HTTP ${status} from ${address}${phrase === undefined ? '' : ` (${phrase})`} for ${call}`;
  return new VaultStatusError(failure(code, place, seen, details), status, body, phrase);
}

/** Codes of answers whose texts come from an engine and are about the request. */
const REASONED: ReadonlySet<Code> = new Set(['BACKEND_REJECTED', 'BACKEND_UNAVAILABLE']);

/** The texts of `errors[]` in lower case. */
function textsOf(body: Fields): readonly string[] {
  const errors = body.get('errors');
  if (!isList(errors)) return [];
  return errors.map((error) => (plainText(error) ?? '').slice(0, 4096).toLowerCase());
}

/** The first known phrase that one of the texts contains. */
function knownPhrase(texts: readonly string[]): string | undefined {
  for (const [part, shown] of PHRASES) {
    if (texts.some((text) => text.includes(part) && (part !== RATE_LIMIT || text.includes('quota'))))
      return shown ?? part;
  }
  return texts.some((text) => ROLE_NOT_FOUND.test(text)) ? ROLE_NOT_FOUND_SHOWN : undefined;
}
