import type { Code } from '../../base/codes.ts';
import type { Failure } from '../../base/errors.ts';
import { JSON_TYPE, type Reply } from '../http/reply.ts';

/** An error of Secrets Manager, by the name in its API reference, and the status that it comes with. */
interface AwsError {
  readonly type: string;
  readonly status: number;
  /** The service's own text, where clients compare it; absent: what was seen is the text. */
  readonly message?: string;
}

export const NOT_FOUND: AwsError = {
  type: 'ResourceNotFoundException',
  status: 400,
  message: "Secrets Manager can't find the specified secret.",
};
const INVALID_PARAMETER: AwsError = { type: 'InvalidParameterException', status: 400 };
const DENIED: AwsError = { type: 'AccessDeniedException', status: 400 };
const EXPIRED: AwsError = { type: 'ExpiredTokenException', status: 400 };
/** The two errors that the AWS agent adds, for a service that gave it no answer. */
const TIMEOUT: AwsError = { type: 'TimeoutError', status: 504 };
const CONNECTION: AwsError = { type: 'ConnectionError', status: 502 };
const INTERNAL: AwsError = { type: 'InternalServiceError', status: 500 };

const BY_CODE: Partial<Record<Code, AwsError>> = {
  API_MALFORMED: INVALID_PARAMETER,
  BACKEND_REJECTED: INVALID_PARAMETER,
  SECRET_NOT_FOUND: NOT_FOUND,
  SECRET_EMPTY: NOT_FOUND,
  SECRET_DELETED: {
    type: 'InvalidRequestException',
    status: 400,
    message: "You can't perform this operation on the secret because it was marked for deletion.",
  },
  SECRET_DESTROYED: NOT_FOUND,
  SECRET_DENIED: DENIED,
  AUTH_DENIED: DENIED,
  AUTH_NO_CREDENTIALS: DENIED,
  AUTH_EXPIRED: EXPIRED,
  SECRET_UNDECRYPTABLE: { type: 'DecryptionFailure', status: 400 },
  BACKEND_THROTTLED: { type: 'ThrottlingException', status: 400 },
  BACKEND_TIMEOUT: TIMEOUT,
  SECRET_NEVER_FETCHED: TIMEOUT,
  API_SLOW: TIMEOUT,
  BACKEND_UNREACHABLE: CONNECTION,
  BACKEND_TLS: CONNECTION,
  AUTH_SERVICE_DOWN: CONNECTION,
};

/**
 * A failure as clients of the AWS agent expect one: the service's status, and `{"__type":…,"message":…}`. The members
 * code, place and hint are for people; clients of AWS ignore them.
 */
export function awsErrorReply(
  { code, place, seen, hint }: Pick<Failure, 'code' | 'place' | 'seen' | 'hint'>,
  headers: Readonly<Record<string, string>> = {},
  { type, status, message }: AwsError = BY_CODE[code] ?? INTERNAL,
): Reply {
  const body = `${JSON.stringify({ __type: type, message: message ?? seen, code, place, hint })}\n`;
  return { status, type: JSON_TYPE, body, headers };
}
