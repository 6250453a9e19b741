import { backoffMs } from '../../../base/backoff.ts';
import { asFailure, type Failure, fail, failure, PannierError } from '../../../base/errors.ts';
import type { Secret } from '../../../base/secret.ts';
import { isList, plainText } from '../../../base/value.ts';
import type { Fetch, Fetched, Want } from '../../backend.ts';
import type { Authorized } from '../auth/authorized.ts';
import type { AuthMethod } from '../auth/method.ts';
import { ageMs } from '../client/age.ts';
import { type VaultClient, VaultStatusError } from '../client/client.ts';
import type { VaultBackendConfig } from '../config/config.ts';
import type { VaultRequest } from '../config/request.ts';
import { createVaultFetch } from '../fetch.ts';
import type { VaultCertificateDeps } from '../source/certificate-deps.ts';
import { VaultMounts } from '../source/mounts.ts';
import { inlineHeaders } from './headers.ts';
import { whyNoInlineAuth } from './server-can.ts';

export interface InlineDeps {
  readonly client: VaultClient;
  readonly method: AuthMethod;
  readonly config: Pick<VaultBackendConfig, 'namespace' | 'auth'>;
  /** Those of the backend, but for `vault`. */
  readonly source: VaultCertificateDeps;
}

/** Fetches without a token, as long as the server takes that. */
export interface InlineFetch {
  /** Undefined: a login is needed for this, and for everything from now on. */
  fetch(want: Want, last: Fetched | undefined, signal: AbortSignal): Promise<Fetch | undefined>;
  /** What the first request has been waiting for. */
  trouble(): Failure | undefined;
}

/**
 * Fetches by inline auth: each request carries the credential, the server makes a token for it alone, and keeps none.
 *
 * 1. The server is asked once whether it has inline auth. While it does not answer, fetches wait, as for a login.
 * 2. One fetch goes alone: a credential that is refused is refused once, and not once for each secret.
 * 3. An outage is passed on. Whatever else goes wrong ends this: the fetch, and every later one, is made with a login,
 *    which says what is wrong in the words that it always has.
 *
 * The server does not tell the mount of a path to a token that it does not keep, so the path is guessed as for a policy
 * that denies the question.
 */
export function openInline({ client, method, config, source }: InlineDeps): InlineFetch {
  const { clock, emit, random, stop } = source;
  const { backend } = client;
  const place = `backends.${backend}.auth`;
  let isOver = false;
  let trouble: Failure | undefined;
  let headers: Promise<Readonly<Record<string, Secret>> | undefined> | undefined;
  /** Resolves when the first fetch has ended. */
  let first: Promise<unknown> | undefined;

  const end = (why: Failure): undefined => {
    if (!isOver) emit({ kind: 'login-inline', backend, failure: why });
    isOver = true;
    return undefined;
  };

  const prepare = async () => {
    for (let failures = 1; !stop.aborted; failures++) {
      try {
        const why = await whyNoInlineAuth(client, place, stop);
        trouble = undefined;
        if (why !== undefined) return end(why);
        const login = await method.inline?.(stop);
        const made = login && inlineHeaders(login, config.namespace);
        if (made !== undefined) return made;
        const seen =
          login === undefined ? 'a secret id may be good for one login only' : 'headers cannot carry the login';
        return end(failure('AUTH_UNUSABLE', place, seen, { hint: 'A login is made instead.' }));
      } catch (error) {
        const why = asFailure(error, place);
        if (!isPassing(error)) return end(why);
        trouble = why;
        const retryInMs = backoffMs(failures, random, why.retryAfterMs);
        emit({ kind: 'login-failed', backend, method: method.kind, failure: why, retryInMs });
        await clock.sleep(retryInMs, stop);
      }
    }
    return undefined;
  };

  const vault: Authorized = {
    async call(call, signal) {
      if (isOver) throw fail('CANCELLED', call.place, 'inline auth is over');
      // The server answers 403, for want of a token that it keeps.
      if (call.path.startsWith('sys/internal/')) throw notTold(call.place);
      const carried = await headers;
      const startedMonoMs = clock.monoMs();
      const answer = await client.call({ ...call, headers: carried ?? {}, freshTls: method.kind === 'cert' }, signal);
      return { ...answer, loginId: 0, startedMonoMs: startedMonoMs - ageMs(answer) };
    },
  };
  const { fetch } = createVaultFetch({ ...source, vault }, new VaultMounts(vault, clock, stop), config);

  const tryFetch = async (want: Want, last: Fetched | undefined, signal: AbortSignal): Promise<Fetch | undefined> => {
    try {
      const fetched = await fetch(want, last, signal);
      if (fetched.state === 'changed' && fetched.value.life.kind === 'lease') return end(leased(want.place));
      return fetched;
    } catch (error) {
      if (isPassing(error) || isAnswer(error, want.request as VaultRequest)) throw error;
      return end(asFailure(error, want.place));
    }
  };

  return {
    trouble: () => trouble,
    async fetch(want, last, signal) {
      headers ??= prepare();
      if ((await unlessAborted(headers, want, signal)) === undefined) return undefined;
      if (first !== undefined) await unlessAborted(first, want, signal);
      else {
        const one = tryFetch(want, last, signal);
        first = one.then(
          (fetched) => fetched && emit({ kind: 'login-inline', backend }),
          () => {
            first = undefined; // an outage: the next fetch is the first again
          },
        );
        return await one;
      }
      return isOver ? undefined : await tryFetch(want, last, signal);
    },
  };
}

const leased = (place: string): Failure =>
  failure('AUTH_UNUSABLE', place, 'the answer has a lease', { hint: 'A login is made instead.' });

function notTold(place: string): VaultStatusError {
  const why = failure('SECRET_DENIED', place, 'the server does not tell mounts by inline auth');
  return new VaultStatusError(why, 403, new Map());
}

/** Whether another try may bring what this one did not: there was no answer, or the server is not ready. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof PannierError)) return false;
  return PASSING.has(error.failure.code) && !saysInline(error);
}

const PASSING: ReadonlySet<string> = new Set([
  'CANCELLED',
  'BACKEND_UNREACHABLE',
  'BACKEND_TIMEOUT',
  'BACKEND_TLS',
  'BACKEND_UNAVAILABLE',
  'BACKEND_NOT_READY',
  'BACKEND_THROTTLED',
]);

/** OpenBao answers 500 to a login that it cannot make of the headers, and to a request that would make a lease. */
function saysInline(error: PannierError): boolean {
  const errors = error instanceof VaultStatusError ? error.body.get('errors') : undefined;
  return isList(errors) && errors.some((text) => /inline authentication/i.test(plainText(text) ?? ''));
}

/** Whether the secret is not there, at a path that was not guessed. */
function isAnswer(error: unknown, request: VaultRequest): boolean {
  const code = error instanceof PannierError ? error.failure.code : undefined;
  if (code === 'SECRET_DELETED' || code === 'SECRET_DESTROYED') return true;
  return code === 'SECRET_NOT_FOUND' && request.kind === 'vault-kv' && request.kvVersion !== undefined;
}

/** Passes on what `answer` resolves to. @throws PannierError CANCELLED when `signal` aborts first. */
async function unlessAborted<T>(answer: Promise<T>, { place }: Want, signal: AbortSignal): Promise<T> {
  if (signal.aborted) throw fail('CANCELLED', place, 'cancelled while waiting for the backend');
  const aborted = Promise.withResolvers<never>();
  const cancel = () => aborted.reject(fail('CANCELLED', place, 'cancelled while waiting for the backend'));
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await Promise.race([answer, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}
