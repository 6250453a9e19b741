import type { Upstream } from '../../backend/vault/upstream.ts';
import type { Clock } from '../../base/clock.ts';
import type { ProxyCacheConfig } from '../../config/config.ts';
import type { ForwardedAnswer } from '../../http/forwarder.ts';
import type { ClockReading } from '../../lease/schedule.ts';
import type { CachedAnswer } from './cached-answer.ts';
import { LeaseCache, type LeaseCacheDeps } from './lease-cache.ts';
import { StaticKv } from './static-kv.ts';

/** The result of a request that like requests wait for: its answer, or why they cannot have it. */
export type SharedRequest = CachedAnswer | 'not-kept' | 'failed';

/** Largest answer that is kept. */
export const MAX_KEPT = 1024 * 1024;

/** How many requests without leases are remembered, and for how long. */
const MAX_UNLEASED = 1_000;
const UNLEASED_MS = 60_000;

/** The kept answers of one backend, for all listeners of its proxy. */
export class ProxyCache implements Disposable {
  readonly leases: LeaseCache;
  readonly kv = new StaticKv();
  /** Requests under way that others of the same key wait for. */
  readonly inFlight = new Map<string, Promise<SharedRequest>>();
  limits: ProxyCacheConfig;
  readonly #clock: Clock;
  /** When a request was seen to bring no lease, by request. */
  readonly #unleased = new Map<string, number>();

  constructor(deps: LeaseCacheDeps, limits: ProxyCacheConfig) {
    this.#clock = deps.clock;
    this.limits = limits;
    this.leases = new LeaseCache(deps);
  }

  /** The kept answer of a static secret, if it is not too old. */
  findKv(key: string): { readonly answer: CachedAnswer; readonly ageMs: number } | undefined {
    const answer = this.kv.find(key);
    if (answer === undefined) return undefined;
    const ageMs = this.ageOf(answer);
    if (ageMs < (this.limits.staticKv?.maxStaleMs ?? 0)) return { answer, ageMs };
    this.kv.drop(key);
    return undefined;
  }

  ageOf(answer: CachedAnswer): number {
    return answer.ageMs(this.now());
  }

  now(): ClockReading {
    return { monoMs: this.#clock.monoMs(), wallMs: this.#clock.wallMs() };
  }

  /**
   * Makes room for an answer; false when it does not fit. Static answers are dropped for it, the one that was used
   * least recently first. A lease is never dropped: a client uses it, and it would end unrenewed. When leases take all
   * the room, further answers are passed on without being kept.
   */
  makeRoom(answer: CachedAnswer): boolean {
    const { maxEntries, maxBytes } = this.limits;
    const fits = () =>
      this.leases.size + this.kv.size < maxEntries && this.leases.bytes + this.kv.bytes + answer.bytes <= maxBytes;
    while (!fits()) if (!this.kv.dropOldest()) return false;
    return true;
  }

  /** Records that a request brought no lease: for a while, requests like it do not wait for each other. */
  rememberUnleased(what: string): void {
    this.#unleased.delete(what);
    this.#unleased.set(what, this.#clock.monoMs());
    if (this.#unleased.size <= MAX_UNLEASED) return;
    for (const oldest of this.#unleased.keys()) {
      this.#unleased.delete(oldest);
      return;
    }
  }

  /** Whether a request was recently seen to bring no lease. */
  isUnleased(what: string): boolean {
    const atMs = this.#unleased.get(what);
    return atMs !== undefined && this.#clock.monoMs() - atMs < UNLEASED_MS;
  }

  clear(): void {
    this.leases.dropIf(() => true);
    this.kv.dropBelow('');
    this.#unleased.clear();
  }

  [Symbol.dispose](): void {
    this.leases[Symbol.dispose]();
    this.kv.dropBelow('');
  }
}

/** Whether an answer may be kept: it is successful, and JSON of a moderate length without an encoding. */
export function mayBeKept({ statusCode, headers }: ForwardedAnswer): boolean {
  return (
    statusCode === 200 &&
    (headers['content-type'] ?? '').startsWith('application/json') &&
    headers['content-encoding'] === undefined &&
    Number(headers['content-length'] ?? 0) <= MAX_KEPT
  );
}

interface Shared {
  readonly cache: ProxyCache;
  users: number;
}

const shared = new WeakMap<Upstream, Shared>();

/**
 * The cache of a backend. All listeners and all configurations that use the backend share it, so that the leases of an
 * earlier configuration live on. It is disposed when each user has called `release`.
 */
export function shareCache(
  deps: LeaseCacheDeps,
  limits: ProxyCacheConfig,
): { readonly cache: ProxyCache; release(): void } {
  const { upstream } = deps;
  const own = shared.get(upstream) ?? { cache: new ProxyCache(deps, limits), users: 0 };
  shared.set(upstream, own);
  own.users++;
  own.cache.limits = limits;
  if (limits.staticKv === undefined) own.cache.kv.dropBelow('');
  return {
    cache: own.cache,
    release: () => {
      own.users--;
      if (own.users > 0) return;
      shared.delete(upstream);
      own.cache[Symbol.dispose]();
    },
  };
}
