import type { Code } from '../../base/codes.ts';
import type { Failure } from '../../base/errors.ts';
import type { Reply } from '../http/reply.ts';
import { errorReply } from './replies.ts';

/** An answer by the code of a failure, where the service gave none of its own. */
type Known = readonly [status: number, type: string, message: string];

const GONE: Known = [400, 'ResourceNotFoundException', "Secrets Manager can't find the specified secret."];
const DENIED: Known = [400, 'AccessDeniedException', 'Access to the secret is denied.'];
const TIMEOUT: Known = [504, 'TimeoutError', 'Timeout'];
const NO_CONNECTION: Known = [502, 'ConnectionError', 'Read Error'];

const BY_CODE: Partial<Record<Code, Known>> = {
  SECRET_NOT_FOUND: GONE,
  SECRET_EMPTY: GONE,
  SECRET_DESTROYED: GONE,
  SECRET_DELETED: [
    400,
    'InvalidRequestException',
    "You can't perform this operation on the secret because it was marked for deletion.",
  ],
  SECRET_DENIED: DENIED,
  AUTH_DENIED: DENIED,
  AUTH_EXPIRED: [400, 'ExpiredTokenException', 'The security token included in the request is expired'],
  SECRET_UNDECRYPTABLE: [
    400,
    'DecryptionFailure',
    "Secrets Manager can't decrypt the protected secret text using the provided KMS key.",
  ],
  BACKEND_THROTTLED: [400, 'ThrottlingException', 'Rate exceeded'],
  BACKEND_TIMEOUT: TIMEOUT,
  SECRET_NEVER_FETCHED: TIMEOUT,
  API_SLOW: TIMEOUT,
  BACKEND_UNREACHABLE: NO_CONNECTION,
  BACKEND_TLS: NO_CONNECTION,
  AUTH_SERVICE_DOWN: NO_CONNECTION,
  BACKEND_MALFORMED: [502, 'ConnectionError', 'Response Error'],
};

export const NOT_FOUND: Reply = errorReply(...GONE);

/** A failure as the AWS agent answers it, by its code; what it has no name for is its own failure there. */
export function errorReplyOf({ code }: Pick<Failure, 'code'>): Reply {
  const known = BY_CODE[code];
  return known === undefined ? errorReply(500, 'InternalFailure', '') : errorReply(...known);
}
