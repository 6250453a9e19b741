import type { LiveLogin } from '../../auth/method.ts';
import type { Clock } from '../../base/clock.ts';
import { deadline } from '../../base/deadline.ts';
import { fail, failure, PannierError } from '../../base/errors.ts';
import type { Stop } from '../../client/stop.ts';
import type { ProxyConfig } from '../../config/config.ts';
import type { Upstream } from '../../source/upstream.ts';
import type { Asked } from './asked.ts';

/** Whose token a request travels with: the agent's, the client's, or nobody's. */
export type Caller = 'own' | 'client' | 'none';

/** Asked by those who want to know whether there is anything to log in to: no token is needed, so none is waited for. */
const OPEN = /^sys\/(?:health|init|leader|seal-status)$/;

export function callerOf({ token, path }: Asked, useAutoAuthToken: ProxyConfig['useAutoAuthToken']): Caller {
  const given = token === undefined ? 'none' : 'client';
  if (useAutoAuthToken === false || OPEN.test(path)) return given;
  return useAutoAuthToken === 'force' ? 'own' : token === undefined ? 'own' : 'client';
}

/** There is no login for a request, for the reason of the failure. */
export class NoLogin extends PannierError {}

/**
 * The agent's login. Waits for one as long as one request may take, and no longer than until a login fails: while it is
 * tried again, requests are refused at once.
 * @throws NoLogin, CANCELLED when the session ends, or the reason of `stop`.
 */
export async function ownLogin(upstream: Upstream, clock: Clock, stop: Stop): Promise<LiveLogin> {
  return await awaitLogin(upstream, clock, stop, (signal) => upstream.session.current(signal));
}

/** Waits as `ownLogin` does, and takes nothing: `then` goes on within the same time. @throws what `ownLogin` does. */
export async function awaitLogin<T>(
  { session, loginMs, place }: Upstream,
  clock: Clock,
  stop: Stop,
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
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw fail('AUTH_UNUSABLE', place, 'the token has characters that a header cannot carry');
}
