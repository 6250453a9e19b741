import { ageMs } from '../../backend/vault/client/age.ts';
import type { Upstream } from '../../backend/vault/upstream.ts';
import type { Clock } from '../../base/clock.ts';
import { askUpstream } from './ask-upstream.ts';
import { type Cacheable, type CacheTime, isKvSecret, kvKeyOf, leasedRequest, staticRead } from './cacheable.ts';
import type { CachedAnswer } from './cached-answer.ts';
import { awaitLogin } from './caller.ts';
import type { UpstreamAnswer, UpstreamRequest } from './exchange.ts';
import { type Invalidation, invalidationOf } from './invalidation.ts';
import { fullPath, namespaceOf } from './namespace.ts';
import { MAX_KEPT, mayBeKept, type ProxyCache, type SharedRequest } from './proxy-cache.ts';
import type { ProxyCall } from './proxy-call.ts';
import { readSome } from './read-some.ts';

/** An answer of the server, or one that is kept. */
export type CacheResult = UpstreamAnswer | { readonly kept: CachedAnswer; readonly ageMs: number };

export interface CacheContext {
  readonly call: ProxyCall;
  readonly upstream: Upstream;
  readonly cache: ProxyCache;
  readonly clock: Clock;
}

/**
 * Answers a request from what is kept, or asks the server and keeps the answer where that is right. Of several like
 * requests at once one is sent and the others wait for it: two reads of dynamic credentials would make two.
 */
export async function throughCache(outgoing: UpstreamRequest, through: CacheContext): Promise<CacheResult> {
  const { call, upstream, cache, clock } = through;
  const { asked } = outgoing;
  const namespace = namespaceOf(asked, upstream.namespace);
  const keepable = await keepableOf(outgoing, namespace, through);
  call.cache = 'miss';
  const outdating = invalidationOf(outgoing, namespace, cache);
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
export function findStatic(outgoing: UpstreamRequest, upstream: Upstream, cache: ProxyCache): CacheResult | undefined {
  if (cache.limits.staticKv === undefined || outgoing.asked.headers['cache-control'] !== undefined) return undefined;
  const configured = namespaceOf(NO_HEADERS, upstream.namespace);
  const key = kvKeyOf(outgoing, namespaceOf(outgoing.asked, upstream.namespace), configured);
  const found = key === undefined ? undefined : cache.findKv(key);
  return found && { kept: found.answer, ageMs: found.ageMs };
}

const NO_HEADERS = { headers: {} };

async function keepableOf(
  outgoing: UpstreamRequest,
  namespace: string,
  through: CacheContext,
): Promise<Cacheable | undefined> {
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
  keepable: Cacheable,
  outgoing: UpstreamRequest,
  { call, upstream, cache, clock }: CacheContext,
): Promise<UpstreamAnswer> {
  const { promise, resolve } = Promise.withResolvers<SharedRequest>();
  const { key } = keepable;
  if (key !== undefined) cache.flights.set(key, promise);
  let flight: SharedRequest = 'failed';
  keepable.begin();
  try {
    const since = cache.now();
    const answer = await askUpstream(call, upstream, clock, outgoing);
    if (!mayBeKept(answer.received) || answer.some !== undefined) {
      flight = 'not-kept';
      return answer;
    }
    const some = await readSome(answer.received, MAX_KEPT, call.stop);
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
function sinceMade({ monoMs, wallMs }: CacheTime, { received }: UpstreamAnswer): CacheTime {
  const age = ageMs({ headers: { age: received.headers.age ?? '' } });
  return { monoMs: monoMs - age, wallMs: wallMs - age };
}

async function outdatingWhile(
  outdating: Invalidation | undefined,
  send: () => Promise<UpstreamAnswer>,
): Promise<UpstreamAnswer> {
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
