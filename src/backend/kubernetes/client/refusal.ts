import { formatDuration } from '../../../base/duration.ts';
import { type FailureDetails, fail, failure, PannierError } from '../../../base/errors.ts';
import { parseJson } from '../../../base/json.ts';
import type { Secret } from '../../../base/secret.ts';
import { type Fields, isFields, plainNumber, plainText } from '../../../base/value.ts';
import { retryAfterMs } from '../../../http/retry-after.ts';
import type { ObjectRef } from './object-ref.ts';
import { kindWord, ruleLine } from './object-ref.ts';

/** There is no such object. */
export class NoObjectError extends PannierError {}

/** An answer of the API server other than 200, and what messages say about it. */
export interface Refused {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  readonly verb: 'get' | 'watch';
  readonly object: ObjectRef;
  readonly address: string;
  /** Configuration path, for errors. */
  readonly place: string;
  /** Where the credential comes from. */
  readonly credential: string;
  readonly token?: Secret | undefined;
  /** On the wall clock. */
  readonly nowMs: number;
}

/** Translates an answer into a failure. Nothing of the server's words is shown but the name of the user. */
export function refusalOf(refused: Refused): PannierError {
  const { status, headers, verb, object, address, place, nowMs } = refused;
  const { name, namespace } = object;
  const answer = statusIn(refused.body);
  const details: FailureDetails = { retryAfterMs: retryAfterMs(headers['retry-after'], nowMs) };
  if (status === 401) return unknownCredential(refused);
  if (status === 403) {
    const who = userIn(answer) ?? 'the agent';
    const hint = `Add to a Role in the namespace ${namespace}: ${ruleLine(object)}; pannier policy prints the whole.`;
    return fail(
      'SECRET_DENIED',
      place,
      `${who} may not ${verb} the ${kindWord(object)} ${name} in the namespace ${namespace}`,
      {
        hint,
      },
    );
  }
  if (status === 404 && answer !== undefined) {
    const hint = `Check the name and the namespace: kubectl -n ${namespace} get ${object.resource} ${name}.`;
    const seen = `there is no ${kindWord(object)} ${name} in the namespace ${namespace}`;
    return new NoObjectError(failure('SECRET_NOT_FOUND', place, seen, { hint }));
  }
  const seen = `HTTP ${status} from ${address}`;
  if (status === 429) return fail('BACKEND_THROTTLED', place, seen, details);
  if (status >= 500) return fail('BACKEND_UNAVAILABLE', place, seen, details);
  if (answer === undefined) {
    return fail('BACKEND_MALFORMED', place, `${seen}, which is no answer of a Kubernetes API server`);
  }
  return fail('BACKEND_REJECTED', place, `${seen}${reasonIn(answer)}`, { retry: 'backoff' });
}

/** An object of kind Status, as every refusal of the API server has it. */
function statusIn(body: Uint8Array): Fields | undefined {
  try {
    const value = parseJson(Buffer.from(body).toString('utf8'));
    return isFields(value) && plainText(value.get('kind')) === 'Status' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The API server names the user that it took the credential for: `… is forbidden: User "…" cannot get resource …`. */
function userIn(answer: Fields | undefined): string | undefined {
  const message = plainText(answer?.get('message')) ?? '';
  return /: User "([\w.:@/-]{1,200})" cannot /.exec(message)?.[1];
}

/** A word such as `BadRequest`. */
function reasonIn(answer: Fields): string {
  const reason = plainText(answer.get('reason')) ?? '';
  return /^[A-Z][A-Za-z]{1,40}$/.test(reason) ? ` (${reason})` : '';
}

function unknownCredential({ place, credential, token, address, nowMs }: Refused): PannierError {
  const expiresMs = token === undefined ? undefined : expiryOf(token);
  if (expiresMs !== undefined && expiresMs <= nowMs) {
    const hint = 'The kubelet renews a projected token, but not a copy of it.';
    return fail('AUTH_EXPIRED', place, `the token of ${credential} expired ${formatDuration(nowMs - expiresMs)} ago`, {
      hint,
    });
  }
  const hint =
    'Check that it belongs to this cluster, that its service account still exists, ' +
    'and that its audience is one of the API server.';
  return fail('AUTH_DENIED', place, `${address} does not know the credential of ${credential}`, { hint });
}

/** The claim `exp` of a JWT, on the wall clock; undefined for another token. Its signature is not checked. */
export function expiryOf(token: Secret): number | undefined {
  const [, payload] = token.exposeText('backend').split('.');
  if (payload === undefined) return undefined;
  try {
    const claims = parseJson(Buffer.from(payload, 'base64url').toString('utf8'));
    const seconds = isFields(claims) ? plainNumber(claims.get('exp')) : undefined;
    return seconds === undefined ? undefined : seconds * 1000;
  } catch {
    return undefined;
  }
}
