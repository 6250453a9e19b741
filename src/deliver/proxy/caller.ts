import type { LiveLogin } from '../../auth/method.ts';
import type { Clock } from '../../base/clock.ts';
import { deadline } from '../../base/deadline.ts';
import { fail } from '../../base/errors.ts';
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

/**
 * The agent's login, waiting for one as long as one request may take.
 * @throws PannierError why there is none, or the reason of `stop`.
 */
export async function ownLogin({ session, loginMs, place }: Upstream, clock: Clock, stop: Stop): Promise<LiveLogin> {
  const waiting = new AbortController();
  const forget = stop.listen(() => waiting.abort());
  const cancel = deadline(clock, loginMs, () => waiting.abort());
  try {
    return await session.current(waiting.signal);
  } catch (error) {
    if (stop.reason !== undefined) throw stop.reason;
    const trouble = session.trouble();
    if (!waiting.signal.aborted) throw error;
    if (trouble === undefined) throw fail('AUTH_UNUSABLE', place, `there is no login after ${loginMs} ms`);
    throw fail(trouble.code, trouble.place, `there is no login: ${trouble.seen}`, { hint: trouble.hint });
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
