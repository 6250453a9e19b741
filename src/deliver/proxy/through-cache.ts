import { ageMs } from '../../backend/vault/client/age.ts';
import type { Upstream } from '../../backend/vault/upstream.ts';
import type { Clock } from '../../base/clock.ts';
import { askUpstream } from './ask-upstream.ts';
import { isKvSecret, type Keepable, type KeptSince, kvKeyOf, leasedRequest, staticRead } from './cacheable.ts';
import type { KeptAnswer } from './cached-answer.ts';
import { awaitLogin } from './caller.ts';
import type { Answer, Outgoing } from './exchange.ts';
import { type Outdating, outdatedBy } from './invalidation.ts';
import { fullPath, namespaceOf } from './namespace.ts';
import { type Flight, MOST_KEPT, mayBeKept, type ProxyCache } from './proxy-cache.ts';
import type { ProxyCall } from './proxy-call.ts';
import { readSome } from './read-some.ts';

/** An answer of the server, or one that is kept. */
export type Obtained = Answer | { readonly kept: KeptAnswer; readonly ageMs: number };

export interface Through {
  readonly call: ProxyCall;
  readonly upstream: Upstream;
  readonly cache: ProxyCache;
  readonly clock: Clock;
}

/**
 * Answers a request from what is kept, or asks the server and keeps the answer where that is right. Of several like
 * requests at once one is sent and the others wait for it: two reads of dynamic credentials would make two.
 */
export async function throughCache(outgoing: Outgoing, through: Through): Promise<Obtained> {
  const { call, upstream, cache, clock } = through;
  const { asked } = outgoing;
  const namespace = namespaceOf(asked, upstream.namespace);
  const keepable = await keepableOf(outgoing, namespace, through);
  call.cache = 'miss';
  const outdating = outdatedBy(outgoing, namespace, cache);
  if (keepable === undefined)
    return await outdatingWhile(outdating, () => askUpstream(call, upstream, clock, outgoing));
  const fresh = /\bno-cache\b/i.test(asked.headers['cache-control'] ?? '');
  for (;;) {
    const found = fresh ? undefined : keepable.find();
    if (found !== undefined) return { kept: found.answer, ageMs: found.ageMs };
    const flight = keepable.key === undefined ? undefined : cache.flights.get(keepable.key);
    if (flight === undefined) return await outdatingWhile(outdating, () => lead(keepable, outgoing, through));
    const came = await flight;
    if (call.stop.reason !== undefined) throw call.stop.reason;
    if (came === 'not-kept') return await outdatingWhile(outdating, () => askUpstream(call, upstream, clock, outgoing));
    if (came !== 'failed') return { kept: came, ageMs: cache.ageOf(came) };
  }
}

/** What is kept of a static secret, without waiting for anything; undefined: look further. */
export function findStatic(outgoing: Outgoing, upstream: Upstream, cache: ProxyCache): Obtained | undefined {
  if (cache.limits.staticKv === undefined || outgoing.asked.headers['cache-control'] !== undefined) return undefined;
  const configured = namespaceOf(NO_HEADERS, upstream.namespace);
  const key = kvKeyOf(outgoing, namespaceOf(outgoing.asked, upstream.namespace), configured);
  const found = key === undefined ? undefined : cache.findKv(key);
  return found && { kept: found.answer, ageMs: found.ageMs };
}

const NO_HEADERS = { headers: {} };

async function keepableOf(outgoing: Outgoing, namespace: string, through: Through): Promise<Keepable | undefined> {
  const { call, upstream, cache, clock } = through;
  const { path } = outgoing.asked;
  const key =
    cache.limits.staticKv === undefined
      ? undefined
      : kvKeyOf(outgoing, namespace, namespaceOf(NO_HEADERS, upstream.namespace));
  if (key !== undefined) {
    if (await awaitLogin(upstream, clock, call.stop, (signal) => isKvSecret(upstream, path, signal)))
      return staticRead(key, fullPath(namespace, path), cache);
  }
  return leasedRequest(outgoing, namespace, cache);
}

/** Sends a request that others may wait for. */
async function lead(
  keepable: Keepable,
  outgoing: Outgoing,
  { call, upstream, cache, clock }: Through,
): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Flight>();
  const { key } = keepable;
  if (key !== undefined) cache.flights.set(key, promise);
  let flight: Flight = 'failed';
  keepable.begin();
  try {
    const since = cache.now();
    const answer = await askUpstream(call, upstream, clock, outgoing);
    if (!mayBeKept(answer.received) || answer.some !== undefined) {
      flight = 'not-kept';
      return answer;
    }
    const some = await readSome(answer.received, MOST_KEPT, call.stop);
    flight = (some.isWhole ? keepable.keep(answer, some.bytes, sinceMade(since, answer)) : undefined) ?? 'not-kept';
    return { ...answer, some };
  } catch (error) {
    if (call.stop.reason === undefined) flight = 'not-kept'; // the server is at fault, not the client that left
    throw error;
  } finally {
    keepable.end();
    if (key !== undefined) cache.flights.delete(key);
    resolve(flight);
  }
}

/** An answer that comes from another cache on the way is as old as it was there. */
function sinceMade({ monoMs, wallMs }: KeptSince, { received }: Answer): KeptSince {
  const age = ageMs({ headers: { age: received.headers.age ?? '' } });
  return { monoMs: monoMs - age, wallMs: wallMs - age };
}

async function outdatingWhile(outdating: Outdating | undefined, send: () => Promise<Answer>): Promise<Answer> {
  outdating?.begin();
  let status = 0;
  try {
    const answer = await send();
    status = answer.received.statusCode ?? 0;
    return answer;
  } finally {
    outdating?.end(status >= 200 && status < 300);
  }
}
