import { ageMs } from '../../backend/vault/client/age.ts';
import type { Upstream } from '../../backend/vault/upstream.ts';
import type { Clock } from '../../base/clock.ts';
import type { ClockReading } from '../../lease/schedule.ts';
import { askUpstream } from './ask-upstream.ts';
import { type Cacheable, isKvSecret, kvKeyOf, leasedRequest, staticRead } from './cacheable.ts';
import type { CachedAnswer } from './cached-answer.ts';
import { awaitLogin } from './caller.ts';
import type { UpstreamAnswer, UpstreamRequest } from './exchange.ts';
import { type Invalidation, invalidationOf } from './invalidation.ts';
import { fullPath, namespaceOf } from './namespace.ts';
import { MAX_KEPT, mayBeKept, type ProxyCache, type SharedRequest } from './proxy-cache.ts';
import type { ProxyCall } from './proxy-call.ts';
import { readSome } from './read-some.ts';

/** An answer of the server, or a kept one. */
export type CacheResult = UpstreamAnswer | { readonly kept: CachedAnswer; readonly ageMs: number };

export interface CacheContext {
  readonly call: ProxyCall;
  readonly upstream: Upstream;
  readonly cache: ProxyCache;
  readonly clock: Clock;
}

/**
 * Answers a request from the cache, or asks the server and keeps the answer where that is right. Of several like
 * requests at once only one is sent and the others wait for it: two reads of dynamic credentials would make two.
 */
export async function throughCache(outgoing: UpstreamRequest, context: CacheContext): Promise<CacheResult> {
  const { call, upstream, cache, clock } = context;
  const { asked } = outgoing;
  const namespace = namespaceOf(asked, upstream.namespace);
  const cacheable = await cacheableOf(outgoing, namespace, context);
  call.cache = 'miss';
  const invalidation = invalidationOf(outgoing, namespace, cache);
  const ask = () => invalidatingWhile(invalidation, () => askUpstream(call, upstream, clock, outgoing));
  if (cacheable === undefined) return await ask();
  const mustBeNew = /\bno-cache\b/i.test(asked.headers['cache-control'] ?? '');
  for (;;) {
    const found = mustBeNew ? undefined : cacheable.find();
    if (found !== undefined) return { kept: found.answer, ageMs: found.ageMs };
    const running = cacheable.key === undefined ? undefined : cache.inFlight.get(cacheable.key);
    if (running === undefined)
      return await invalidatingWhile(invalidation, () => askShared(cacheable, outgoing, context));
    const result = await running;
    if (call.stop.reason !== undefined) throw call.stop.reason;
    if (result === 'not-kept') return await ask();
    if (result !== 'failed') return { kept: result, ageMs: cache.ageOf(result) };
  }
}

/** The kept answer of a static secret, without waiting for anything; undefined: `throughCache` must answer. */
export function findStatic(outgoing: UpstreamRequest, upstream: Upstream, cache: ProxyCache): CacheResult | undefined {
  if (cache.limits.staticKv === undefined || outgoing.asked.headers['cache-control'] !== undefined) return undefined;
  const key = kvKeyOf(outgoing, upstream);
  const found = key === undefined ? undefined : cache.findKv(key);
  return found && { kept: found.answer, ageMs: found.ageMs };
}

async function cacheableOf(
  outgoing: UpstreamRequest,
  namespace: string,
  context: CacheContext,
): Promise<Cacheable | undefined> {
  const { call, upstream, cache, clock } = context;
  const { path } = outgoing.asked;
  const key = cache.limits.staticKv === undefined ? undefined : kvKeyOf(outgoing, upstream);
  if (key !== undefined) {
    if (await awaitLogin(upstream, clock, call.stop, (signal) => isKvSecret(upstream, path, signal)))
      return staticRead(key, fullPath(namespace, path), cache);
  }
  return leasedRequest(outgoing, namespace, cache);
}

/** Sends a request that like requests may wait for. */
async function askShared(
  cacheable: Cacheable,
  outgoing: UpstreamRequest,
  { call, upstream, cache, clock }: CacheContext,
): Promise<UpstreamAnswer> {
  const { promise, resolve } = Promise.withResolvers<SharedRequest>();
  const { key } = cacheable;
  if (key !== undefined) cache.inFlight.set(key, promise);
  let result: SharedRequest = 'failed';
  cacheable.begin();
  try {
    const since = cache.now();
    const answer = await askUpstream(call, upstream, clock, outgoing);
    if (!mayBeKept(answer.received) || answer.some !== undefined) {
      result = 'not-kept';
      return answer;
    }
    const some = await readSome(answer.received, MAX_KEPT, call.stop);
    result = (some.isWhole ? cacheable.keep(answer, some.bytes, sinceMade(since, answer)) : undefined) ?? 'not-kept';
    return { ...answer, some };
  } catch (error) {
    if (call.stop.reason === undefined) result = 'not-kept'; // the server is at fault, not a client that left
    throw error;
  } finally {
    cacheable.end();
    if (key !== undefined) cache.inFlight.delete(key);
    resolve(result);
  }
}

/** When the answer was made: its Age, from a cache on the way, is taken off the moment of the request. */
function sinceMade({ monoMs, wallMs }: ClockReading, { received }: UpstreamAnswer): ClockReading {
  const age = ageMs({ headers: { age: received.headers.age ?? '' } });
  return { monoMs: monoMs - age, wallMs: wallMs - age };
}

async function invalidatingWhile(
  invalidation: Invalidation | undefined,
  send: () => Promise<UpstreamAnswer>,
): Promise<UpstreamAnswer> {
  invalidation?.begin();
  let status = 0;
  try {
    const answer = await send();
    status = answer.received.statusCode ?? 0;
    return answer;
  } finally {
    invalidation?.end(status >= 200 && status < 300);
  }
}
