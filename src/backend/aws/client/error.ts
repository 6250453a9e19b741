import type { Code } from '../../../base/codes.ts';
import { type Failure, fail, failure, PannierError } from '../../../base/errors.ts';
import { retryAfterMs } from '../../../http/retry-after.ts';
import type { AwsErrorAnswer } from '../reader.ts';

/** The call that failed. */
export interface AwsCall {
  /** Service and operation, such as `secretsmanager GetSecretValue`. */
  readonly operation: string;
  /** The secret, the parameter or the path that was asked for; absent when the call names none, or several. */
  readonly of?: string | undefined;
  /** Absent when it is not known. */
  readonly region?: string;
  /** Configuration path, for errors. */
  readonly place: string;
  /** On the wall clock, to read a Retry-After that is a date. */
  readonly nowMs: number;
}

/**
 * A failure that the service answered with. What the service said goes to the client that asked and nowhere else: it is
 * no part of the failure, and neither printed nor inspected with the error.
 */
class AwsAnswerError extends PannierError {
  readonly #answer: AwsErrorAnswer;

  constructor(failed: Failure, answer: AwsErrorAnswer) {
    super(failed);
    this.#answer = answer;
  }

  static answerOf(error: unknown): AwsErrorAnswer | undefined {
    return error instanceof AwsAnswerError ? error.#answer : undefined;
  }
}

/** What the service answered; undefined when it gave no answer of its own, or an error was made without one. */
export const awsAnswerOf = (error: unknown): AwsErrorAnswer | undefined => AwsAnswerError.answerOf(error);

/** The error with another place, and with the same answer. */
export function awsErrorAt(error: PannierError, place: string): PannierError {
  const { code, seen } = error.failure;
  const failed = failure(code, place, seen, error.failure);
  const answer = awsAnswerOf(error);
  return answer === undefined ? new PannierError(failed) : new AwsAnswerError(failed, answer);
}

interface KnownError {
  readonly code: Code;
  readonly seen?: string;
  readonly hint?: string;
}

const DENIED: KnownError = {
  code: 'SECRET_DENIED',
  hint: "Allow the operation on this resource in the role's policy.",
};
const NOT_FOUND: KnownError = {
  code: 'SECRET_NOT_FOUND',
  hint: 'Check name, region and account, or write the secret.',
};
const KMS: KnownError = { code: 'SECRET_UNDECRYPTABLE' };
const THROTTLED: KnownError = { code: 'BACKEND_THROTTLED' };
const UNAVAILABLE: KnownError = { code: 'BACKEND_UNAVAILABLE' };
const REJECTED: KnownError = { code: 'BACKEND_REJECTED' };
const EXPIRED: KnownError = { code: 'AUTH_EXPIRED' };
const CLOCK: KnownError = { code: 'BACKEND_CLOCK' };
const KEY_UNKNOWN: KnownError = {
  code: 'AUTH_DENIED',
  seen: 'AWS does not know the credentials',
  hint: 'Check where the credentials come from.',
};
const BAD_SIGNATURE: KnownError = {
  code: 'AUTH_DENIED',
  seen: 'the signature is wrong',
  hint: 'The secret access key does not belong to the access key id.',
};

/**
 * By the names of AWS errors: "Common Errors" and the Errors of each operation in the API references of Secrets
 * Manager, Systems Manager and STS. A name that is not in this list is never shown.
 */
const KNOWN: Readonly<Record<string, KnownError>> = {
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

/** Errors that only the message of AWS tells apart. The message decides, and is not shown. */
function byMessage(name: string, message: string): KnownError | undefined {
  if (/^AccessDenied(?:Exception)?$/.test(name) && /\bKMS\b|customer master key|ciphertext/i.test(message)) return KMS;
  if (
    name === 'InvalidRequestException' &&
    /mark(?:ed|ing) (?:for deletion|deleted)|scheduled for deletion/i.test(message)
  ) {
    return {
      code: 'SECRET_DELETED',
      seen: 'the secret is scheduled for deletion',
      hint: 'Restore it with RestoreSecret.',
    };
  }
  if (/^(?:InvalidSignatureException|SignatureDoesNotMatch)$/.test(name) && /expired|not yet current/i.test(message))
    return CLOCK;
  return undefined;
}

/**
 * Translates an error of the SDK by its name and status. A PannierError keeps its code and gets the place of the call,
 * see `atPlace`.
 */
export function awsError(error: unknown, call: AwsCall): PannierError {
  if (error instanceof PannierError) {
    return atPlace(error, call.place);
  }
  const { name, message, status, headers, isOfService } = readError(error);
  if (name === 'AbortError') return fail('CANCELLED', call.place, 'the call was cancelled');
  const made = describe(name, message, call, status, retryAfterMs(headers['retry-after'], call.nowMs));
  if (!isOfService || status === undefined) return made;
  return new AwsAnswerError(made.failure, { type: name, message, status });
}

/** Moves a failure to another place, unless it is one of the whole backend: no credentials, no region. */
export function atPlace(error: PannierError, place: string): PannierError {
  const { code, seen, place: own } = error.failure;
  return own === place || /^(?:AUTH|CONFIG)_/.test(code) ? error : fail(code, place, seen, error.failure);
}

/** Puts the stage, version or label that was asked for before a failure that says it does not exist. */
export function withAsked(error: unknown, what: string): unknown {
  if (!(error instanceof PannierError) || !/^(?:SECRET_NOT_FOUND|BACKEND_REJECTED)$/.test(error.failure.code))
    return error;
  const { code, place, seen } = error.failure;
  return fail(code, place, `${what}: ${seen}`, {
    ...error.failure,
    hint: `Check that the secret and its ${what} exist.`,
  });
}

/** Translates the error of one entry in the answer to a batch; an unknown one is BACKEND_REJECTED for that entry. */
export function awsEntryError(name: string | undefined, message: string | undefined, call: AwsCall): PannierError {
  return describe(name ?? '', message ?? '', call, 400, undefined);
}

/** Whether the clock was wrong and the SDK has corrected it by the time in the answer. */
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
  // A failure of the credentials concerns all secrets and is reported once, so it names none.
  const whose = of === undefined || code.startsWith('AUTH_') ? '' : ` of ${of}`;
  const where = region === undefined ? '' : ` in ${region}`;
  return fail(
    code,
    place,
    `${seen === undefined ? '' : `${seen}: `}${answered} to ${operation}${whose}${where}`,
    details,
  );
}

function byStatus(status: number | undefined): KnownError {
  if (status === undefined || status < 400) {
    return { code: 'BACKEND_MALFORMED', hint: 'Check that endpoint is the address of this service.' };
  }
  if (status === 429) return THROTTLED;
  if (status === 403) return DENIED;
  return status >= 500 ? UNAVAILABLE : { code: 'BACKEND_REJECTED' };
}

function readError(error: unknown) {
  const { name, message, $fault, $metadata, $response } = (error ?? {}) as {
    name?: unknown;
    message?: unknown;
    /** Which side the service blames; absent in errors that the SDK makes itself. */
    $fault?: unknown;
    $metadata?: { httpStatusCode?: number };
    $response?: { statusCode?: number; headers?: Readonly<Record<string, string>> };
  };
  return {
    name: typeof name === 'string' ? name : '',
    message: typeof message === 'string' ? message : '',
    status: $metadata?.httpStatusCode ?? $response?.statusCode,
    headers: $response?.headers ?? {},
    isOfService: $fault !== undefined,
  };
}
