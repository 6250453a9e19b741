import type { Code } from '../../../base/codes.ts';
import { type Failure, type FailureDetails, fail, failure, PannierError } from '../../../base/errors.ts';
import type { WireAnswer } from '../../../http/exchange.ts';
import { retryAfterMs } from '../../../http/retry-after.ts';

/** Longer words are cut. */
const MAX_CHARACTERS = 600;

/** The types of problems that ACME names (RFC 8555, section 6.7) begin so. */
const ACME_TYPE = 'urn:ietf:params:acme:error:';

/** Problems of the account, and not of one order. */
const ABOUT_ACCOUNT = new Set([
  'unauthorized',
  'accountDoesNotExist',
  'badPublicKey',
  'badSignatureAlgorithm',
  'externalAccountRequired',
  'invalidContact',
  'unsupportedContact',
  'userActionRequired',
]);

const DIRECTORY_HINT = 'Check that directory is the URL that the issuer gives for its ACME directory.';

/** The error for an answer that no ACME server gives. */
export const noAcme = (place: string, seen: string): PannierError =>
  fail('BACKEND_MALFORMED', place, seen, { hint: DIRECTORY_HINT });

/** A problem document of the server. */
export class AcmeProblem extends PannierError {
  /** Without the beginning that all types of ACME have: `badNonce`. */
  readonly type: string;

  constructor(failed: Failure, type: string) {
    super(failed);
    this.name = 'AcmeProblem';
    this.type = type;
  }
}

/** What an answer with an error status means. */
export function problemOf(
  { status, headers, body }: WireAnswer,
  { place, address, nowMs }: { readonly place: string; readonly address: string; readonly nowMs: number },
): AcmeProblem {
  const problem = readJson(body);
  const type = typeOf(problem);
  const words = wordsOf(problem);
  const seen = words === '' ? `HTTP ${status} from ${address}` : `${address} says "${words}"`;
  const code = codeOf(status, type, words);
  const hint = HINTS[type] ?? (code === 'BACKEND_MALFORMED' ? DIRECTORY_HINT : undefined);
  const details: FailureDetails = {
    ...(hint === undefined ? {} : { hint }),
    retryAfterMs: retryAfterMs(headers['retry-after'], nowMs),
  };
  return new AcmeProblem(failure(code, place, seen, details), type);
}

function codeOf(status: number, type: string, words: string): Code {
  if (type === 'rateLimited' || status === 429) return 'BACKEND_THROTTLED';
  if (status >= 500 || type === 'badNonce') return 'BACKEND_UNAVAILABLE';
  if (ABOUT_ACCOUNT.has(type)) return 'AUTH_DENIED';
  return words === '' && type === '' ? 'BACKEND_MALFORMED' : 'CERTIFICATE_REFUSED';
}

const HINTS: Readonly<Record<string, string>> = {
  unauthorized: 'Check whether the account was deactivated, and what it may order.',
  accountDoesNotExist: 'The account is made anew at the next try.',
  externalAccountRequired: 'Set eab: the issuer takes only accounts that are bound to one of its own.',
  userActionRequired: 'Visit the page that the server names.',
  invalidContact: 'Correct contact.',
  unsupportedContact: 'Correct contact.',
  badPublicKey: 'Use an account key of another kind: EC P-256 is taken everywhere.',
  badSignatureAlgorithm: 'Use an account key of another kind: EC P-256 is taken everywhere.',
};

/** Why the server has found something invalid, in its own words: the problem, and each part of it. */
export function wordsOf(problem: unknown): string {
  const { detail, subproblems } = (problem ?? {}) as { readonly detail?: unknown; readonly subproblems?: unknown };
  const parts = [
    typeof detail === 'string' ? detail : '',
    ...(Array.isArray(subproblems) ? subproblems.map(wordsOf) : []),
  ];
  // No request holds a secret, so the words hold none; control characters could still confuse a terminal.
  return parts
    .filter((part) => part !== '')
    .join('; ')
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, MAX_CHARACTERS);
}

function typeOf(problem: unknown): string {
  const { type } = (problem ?? {}) as { readonly type?: unknown };
  return typeof type === 'string' && type.startsWith(ACME_TYPE) ? type.slice(ACME_TYPE.length) : '';
}

/** Undefined for what is no JSON; the message of `JSON.parse` would quote it. */
export function readJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
  } catch {
    return undefined;
  }
}
