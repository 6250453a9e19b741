import type { Code } from '../../../base/codes.ts';
import { fail, PannierError } from '../../../base/errors.ts';
import { retryAfterMs } from '../../../http/retry-after.ts';

/** What was asked when it failed. */
export interface AwsCall {
  /** `secretsmanager GetSecretValue`. */
  readonly operation: string;
  /** The secret, the parameter or the path that was asked for; absent where the call is about none. */
  readonly of?: string | undefined;
  /** Absent where it is not known. */
  readonly region?: string;
  /** Configuration path. */
  readonly place: string;
  /** On the wall clock. */
  readonly nowMs: number;
}

interface Known {
  readonly code: Code;
  readonly seen?: string;
  readonly hint?: string;
}

const DENIED: Known = { code: 'SECRET_DENIED', hint: "Allow the operation on this resource in the role's policy." };
const NOT_FOUND: Known = { code: 'SECRET_NOT_FOUND', hint: 'Check name, region and account, or write the secret.' };
const KMS: Known = { code: 'SECRET_UNDECRYPTABLE' };
const THROTTLED: Known = { code: 'BACKEND_THROTTLED' };
const UNAVAILABLE: Known = { code: 'BACKEND_UNAVAILABLE' };
const REJECTED: Known = { code: 'BACKEND_REJECTED' };
const EXPIRED: Known = { code: 'AUTH_EXPIRED' };
const CLOCK: Known = { code: 'BACKEND_CLOCK' };
const KEY_UNKNOWN: Known = {
  code: 'AUTH_DENIED',
  seen: 'the credentials are not known',
  hint: 'Check where they come from.',
};
const BAD_SIGNATURE: Known = {
  code: 'AUTH_DENIED',
  seen: 'the signature does not fit',
  hint: 'The secret access key is not that of the access key id.',
};

/**
 * The names that AWS gives its errors: "Common Errors" and the Errors of each operation in the API references of
 * Secrets Manager, Systems Manager and STS. A name that is not here is never shown.
 */
const KNOWN: Readonly<Record<string, Known>> = {
  AccessDenied: DENIED,
  AccessDeniedException: DENIED,
  DecryptionFailure: KMS,
  ExpiredToken: EXPIRED,
  ExpiredTokenException: EXPIRED,
  IDPCommunicationErrorException: UNAVAILABLE,
  IDPRejectedClaimException: { code: 'AUTH_DENIED', seen: 'the web identity token was refused' },
  InternalServerError: UNAVAILABLE,
  InternalFailure: UNAVAILABLE,
  InternalServiceError: UNAVAILABLE,
  InvalidClientTokenId: KEY_UNKNOWN,
  InvalidIdentityTokenException: { code: 'AUTH_DENIED', seen: 'the web identity token is not valid' },
  InvalidKeyId: KMS,
  InvalidParameterException: REJECTED,
  InvalidRequestException: REJECTED,
  InvalidSignatureException: BAD_SIGNATURE,
  KMSAccessDeniedException: KMS,
  KMSDisabledException: KMS,
  KMSInvalidStateException: KMS,
  KMSNotFoundException: KMS,
  LimitExceededException: THROTTLED,
  ParameterNotFound: NOT_FOUND,
  ParameterVersionNotFound: NOT_FOUND,
  RequestExpired: CLOCK,
  RequestLimitExceeded: THROTTLED,
  RequestTimeTooSkewed: CLOCK,
  ResourceNotFoundException: NOT_FOUND,
  ServiceUnavailable: UNAVAILABLE,
  SignatureDoesNotMatch: BAD_SIGNATURE,
  Throttling: THROTTLED,
  ThrottlingException: THROTTLED,
  TooManyRequestsException: THROTTLED,
  UnrecognizedClientException: KEY_UNKNOWN,
};

/** Where AWS tells two things apart by its message alone. The message decides, and is not shown. */
function byMessage(name: string, message: string): Known | undefined {
  if (/^AccessDenied(?:Exception)?$/.test(name) && /\bKMS\b|customer master key|ciphertext/i.test(message)) return KMS;
  if (
    name === 'InvalidRequestException' &&
    /mark(?:ed|ing) (?:for deletion|deleted)|scheduled for deletion/i.test(message)
  ) {
    return { code: 'SECRET_DELETED', seen: 'it is scheduled for deletion', hint: 'Restore it with RestoreSecret.' };
  }
  if (/^(?:InvalidSignatureException|SignatureDoesNotMatch)$/.test(name) && /expired|not yet current/i.test(message))
    return CLOCK;
  return undefined;
}

/**
 * An error of the SDK in our words, decided by its name and status. What is ours already keeps its code and gets the
 * place, unless it is a failure of the backend as a whole (no credentials).
 */
export function awsError(error: unknown, call: AwsCall): PannierError {
  if (error instanceof PannierError) {
    return atPlace(error, call.place);
  }
  const { name, message, status, headers } = readError(error);
  if (name === 'AbortError') return fail('CANCELLED', call.place, 'the call was cancelled');
  return describe(name, message, call, status, retryAfterMs(headers['retry-after'], call.nowMs));
}

/** The same failure at another place, unless it is one of the backend as a whole: no credentials, no region. */
export function atPlace(error: PannierError, place: string): PannierError {
  const { code, seen, place: own } = error.failure;
  return own === place || /^(?:AUTH|CONFIG)_/.test(code) ? error : fail(code, place, seen, error.failure);
}

/** The same failure with what was asked for before it, where nothing is there or it is no good. */
export function withAsked(error: unknown, what: string): unknown {
  if (!(error instanceof PannierError) || !/^(?:SECRET_NOT_FOUND|BACKEND_REJECTED)$/.test(error.failure.code))
    return error;
  const { code, place, seen } = error.failure;
  return fail(code, place, `${what}: ${seen}`, {
    ...error.failure,
    hint: 'Check that it is there, and the secret with it.',
  });
}

/** The error of one entry in the answer to a batch; one that we do not know is a rejection of that entry. */
export function awsEntryError(name: string | undefined, message: string | undefined, call: AwsCall): PannierError {
  return describe(name ?? '', message ?? '', call, 400, undefined);
}

/** The clock was wrong, and is corrected by now: the SDK learns the time from the answer. */
export function isClockCorrected(error: unknown): boolean {
  return (error as { $metadata?: { clockSkewCorrected?: unknown } } | null)?.$metadata?.clockSkewCorrected === true;
}

function describe(
  name: string,
  message: string,
  call: AwsCall,
  status: number | undefined,
  afterMs: number | undefined,
): PannierError {
  const { operation, of, region, place } = call;
  const known = byMessage(name, message) ?? (Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined);
  const { code, seen, hint } = known ?? byStatus(status);
  const isAnswer = status !== undefined && status >= 400;
  const answered = known === undefined ? (isAnswer ? `HTTP ${status}` : 'no usable answer') : name;
  const details = { ...(hint === undefined ? {} : { hint }), retryAfterMs: afterMs };
  // A failure of the credentials is one for all secrets, and told once.
  const whose = of === undefined || code.startsWith('AUTH_') ? '' : ` of ${of}`;
  const where = region === undefined ? '' : ` in ${region}`;
  return fail(
    code,
    place,
    `${seen === undefined ? '' : `${seen}: `}${answered} to ${operation}${whose}${where}`,
    details,
  );
}

function byStatus(status: number | undefined): Known {
  if (status === undefined || status < 400) {
    return { code: 'BACKEND_MALFORMED', hint: 'Check that endpoint is an endpoint of this service.' };
  }
  if (status === 429) return THROTTLED;
  if (status === 403) return DENIED;
  return status >= 500 ? UNAVAILABLE : { code: 'BACKEND_REJECTED' };
}

function readError(error: unknown) {
  const { name, message, $metadata, $response } = (error ?? {}) as {
    name?: unknown;
    message?: unknown;
    $metadata?: { httpStatusCode?: number };
    $response?: { statusCode?: number; headers?: Readonly<Record<string, string>> };
  };
  return {
    name: typeof name === 'string' ? name : '',
    message: typeof message === 'string' ? message : '',
    status: $metadata?.httpStatusCode ?? $response?.statusCode,
    headers: $response?.headers ?? {},
  };
}
