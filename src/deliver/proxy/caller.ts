import type { RequestLogin } from '../../backend/vault/auth/method.ts';
import type { Upstream } from '../../backend/vault/upstream.ts';
import type { Clock } from '../../base/clock.ts';
import { deadline } from '../../base/deadline.ts';
import { fail, failure, PannierError } from '../../base/errors.ts';
import { isHeaderToken } from '../../base/header-text.ts';
import type { ProxyConfig } from '../../config/config.ts';
import type { CallCancellation } from '../../http/call-cancellation.ts';
import type { ProxyRequest } from './request.ts';

/** Which token a request is sent with: that of the agent's own login, the client's, or none. */
export type Caller = 'own' | 'client' | 'none';

/**
 * Paths that every server answers without a token: its health, how it is initialised and unsealed, how a node joins it,
 * the second factor of a login, and what is known of a wrapping token. They never use the agent's login, since a sealed
 * server gives no login and is unsealed by such requests.
 */
const WITHOUT_TOKEN =
  /^sys\/(?:health|init|leader|seal-status|unseal|storage\/raft\/(?:join|bootstrap(?:\/.+)?)|mfa\/validate|wrapping\/lookup)$/;

/**
 * Paths for which some servers want a token and most do not: a new root token or new unseal keys, made with the shares
 * of the key holders.
 */
const MAYBE_WITHOUT_TOKEN =
  /^sys\/(?:generate-root(?:\/.+)?|generate-recovery-token\/.+|decode-token|rekey(?:-recovery-key)?\/.+)$/;

/** What follows `auth/` in the path of a login, or of a path that looks like one: a role may have the name `login`. */
const LOGIN = /[^/]\/login(?:\/|$)/;
const OIDC = /[^/]\/oidc\/(?:auth_url|callback)$/;

/**
 * Decides which token a request is sent with.
 * @param hasLogin whether the agent has a login that can be used now. Without one, a request that may need no token is
 * sent at once with the client's token or none, instead of waiting for a login.
 */
export function callerOf(
  { token, path, method }: ProxyRequest,
  useAutoAuthToken: ProxyConfig['useAutoAuthToken'],
  hasLogin: () => boolean,
): Caller {
  const given = token === undefined ? 'none' : 'client';
  if (useAutoAuthToken === false || WITHOUT_TOKEN.test(path)) return given;
  if (useAutoAuthToken === true && token !== undefined) return 'client';
  const mayNeedNone = MAYBE_WITHOUT_TOKEN.test(path) || mayLogIn(method, path);
  return mayNeedNone && !hasLogin() ? given : 'own';
}

/**
 * Whether a request may be a login. It is matched in two steps, so that a long path costs little: one expression would
 * try each `auth/` with each slash.
 */
function mayLogIn(method: string, path: string): boolean {
  const at = path.search(/(?:^|\/)auth\//);
  if (at < 0) return false;
  const mount = path.slice(at + 'auth/'.length);
  if (method === 'GET') return OIDC.test(mount) && mount.endsWith('callback');
  return (method === 'POST' || method === 'PUT') && (LOGIN.test(mount) || OIDC.test(mount));
}

/** A request needs a login and there is none; the failure says why. */
export class NoLogin extends PannierError {}

/**
 * The agent's login. Waits for one for as long as a login may take, or until one fails: while failed logins are tried
 * again, requests are refused at once.
 * @throws NoLogin, CANCELLED when the session ends, or the reason of `stop`.
 */
export async function ownLogin(upstream: Upstream, clock: Clock, stop: CallCancellation): Promise<RequestLogin> {
  const now = stop.reason === undefined ? upstream.session.currentNow() : undefined;
  return now ?? (await awaitLogin(upstream, clock, stop, (signal) => upstream.session.current(signal)));
}

/** Waits as `ownLogin` does, then calls `then`, which has the rest of that time. @throws what `ownLogin` does. */
export async function awaitLogin<T>(
  { session, loginMs, place }: Upstream,
  clock: Clock,
  stop: CallCancellation,
  then: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const waiting = new AbortController();
  const stopListening = stop.listen(() => waiting.abort());
  const cancel = deadline(clock, loginMs, () => waiting.abort());
  try {
    await session.settled(waiting.signal);
    const trouble = session.trouble();
    if (trouble === undefined) return await then(waiting.signal);
    const { hint, code } = trouble;
    throw new NoLogin(failure(code, trouble.place, `there is no login: ${trouble.seen}`, { hint }));
  } catch (error) {
    if (stop.reason !== undefined) throw stop.reason;
    if (!waiting.signal.aborted) throw error;
    throw new NoLogin(failure('AUTH_UNUSABLE', place, `there is no login: none was made within ${loginMs} ms`));
  } finally {
    cancel();
    stopListening();
  }
}

/**
 * Waits while the agent makes its first login, for no longer than that may take: until then it is not known whether a
 * token that a client names is the agent's own.
 * @throws CANCELLED when the session ends, or the reason of `stop`.
 */
export async function firstLogin(upstream: Upstream, clock: Clock, stop: CallCancellation): Promise<void> {
  if (upstream.session.view().state !== 'logging-in') return;
  try {
    await awaitLogin(upstream, clock, stop, async () => {});
  } catch (error) {
    if (!(error instanceof NoLogin)) throw error;
  }
}

/**
 * The login's token as text for a header; undefined when another proxy on the way adds its token.
 * @throws PannierError AUTH_UNUSABLE when a header cannot carry it.
 */
export function tokenText({ token }: RequestLogin, place: string): string | undefined {
  if (token === undefined) return undefined;
  const text = token.exposeText('backend');
  if (isHeaderToken(text)) return text;
  throw fail('AUTH_UNUSABLE', place, "the login's token has characters that a header cannot carry");
}
