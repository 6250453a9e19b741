import type { LiveLogin } from '../../backend/vault/auth/method.ts';
import type { Upstream } from '../../backend/vault/upstream.ts';
import type { Clock } from '../../base/clock.ts';
import { deadline } from '../../base/deadline.ts';
import { fail, failure, PannierError } from '../../base/errors.ts';
import { isHeaderToken } from '../../base/header-text.ts';
import type { ProxyConfig } from '../../config/config.ts';
import type { CallCancellation } from '../../http/call-cancellation.ts';
import type { ProxyRequest } from './request.ts';

/** Whose token a request travels with: the agent's, the client's, or nobody's. */
export type Caller = 'own' | 'client' | 'none';

/**
 * What every server answers without a token: whether it is there, how it is initialised and unsealed, how a node joins
 * it, the second factor of a login, and what is known of a wrapping token. The agent's login has no part in it, and a
 * server that gives none must be brought to life by such requests.
 */
const OPEN =
  /^sys\/(?:health|init|leader|seal-status|unseal|storage\/raft\/(?:join|bootstrap(?:\/.+)?)|mfa\/validate|wrapping\/lookup)$/;

/**
 * What most servers answer without a token and some want one for: the root token and the unseal keys, by the shares of
 * their holders.
 */
const OPEN_OR_NOT =
  /^sys\/(?:generate-root(?:\/.+)?|generate-recovery-token\/.+|decode-token|rekey(?:-recovery-key)?\/.+)$/;

/** What follows `auth/` in the path of a login, or of what only looks like one: a role may have the name `login`. */
const LOGIN = /[^/]\/login(?:\/|$)/;
const OIDC = /[^/]\/oidc\/(?:auth_url|callback)$/;

/**
 * Whose token a request travels with.
 * @param hasLogin whether the agent has a login that can be used now. What may need none goes without while there is
 * none, and waits for nothing.
 */
export function callerOf(
  { token, path, method }: ProxyRequest,
  useAutoAuthToken: ProxyConfig['useAutoAuthToken'],
  hasLogin: () => boolean,
): Caller {
  const given = token === undefined ? 'none' : 'client';
  if (useAutoAuthToken === false || OPEN.test(path)) return given;
  if (useAutoAuthToken === true && token !== undefined) return 'client';
  const mayNeedNone = OPEN_OR_NOT.test(path) || mayLogIn(method, path);
  return mayNeedNone && !hasLogin() ? given : 'own';
}

/** In two steps, so that a long path costs little: one expression for both would try each `auth/` with each slash. */
function mayLogIn(method: string, path: string): boolean {
  const at = path.search(/(?:^|\/)auth\//);
  if (at < 0) return false;
  const mount = path.slice(at + 'auth/'.length);
  if (method === 'GET') return OIDC.test(mount) && mount.endsWith('callback');
  return (method === 'POST' || method === 'PUT') && (LOGIN.test(mount) || OIDC.test(mount));
}

/** There is no login for a request, for the reason of the failure. */
export class NoLogin extends PannierError {}

/**
 * The agent's login. Waits for one as long as one request may take, and no longer than until a login fails: while it is
 * tried again, requests are refused at once.
 * @throws NoLogin, CANCELLED when the session ends, or the reason of `stop`.
 */
export async function ownLogin(upstream: Upstream, clock: Clock, stop: CallCancellation): Promise<LiveLogin> {
  return await awaitLogin(upstream, clock, stop, (signal) => upstream.session.current(signal));
}

/** Waits as `ownLogin` does, and takes nothing: `then` goes on within the same time. @throws what `ownLogin` does. */
export async function awaitLogin<T>(
  { session, loginMs, place }: Upstream,
  clock: Clock,
  stop: CallCancellation,
  then: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const waiting = new AbortController();
  const forget = stop.listen(() => waiting.abort());
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
    throw new NoLogin(failure('AUTH_UNUSABLE', place, `there is no login after ${loginMs} ms`));
  } finally {
    cancel();
    forget();
  }
}

/** The login's token as a header carries it. */
export function tokenText({ token }: LiveLogin, place: string): string {
  const text = token.exposeText('backend');
  if (isHeaderToken(text)) return text;
  throw fail('AUTH_UNUSABLE', place, 'the token has characters that a header cannot carry');
}
