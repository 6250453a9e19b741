import type { IncomingMessage } from 'node:http';
import type { Upstream } from '../../backend/vault/upstream.ts';
import type { Clock } from '../../base/clock.ts';
import type { ProxyCacheConfig } from '../../config/config.ts';
import type { CachedAnswer } from './cached-answer.ts';
import { LeaseCache, type LeaseCacheDeps } from './lease-cache.ts';
import { StaticKv } from './static-kv.ts';

/** What became of a request that others waited for: its answer, or why there is none for them. */
export type SharedRequest = CachedAnswer | 'not-kept' | 'failed';

/** Largest answer that is kept. */
export const MAX_KEPT = 1024 * 1024;

/** So many requests whose answers bring no lease are remembered, for so long. */
const MAX_PLAIN = 1_000;
const PLAIN_MS = 60_000;

/** What is kept of one backend's answers, for all listeners of its proxy. */
export class ProxyCache implements Disposable {
  readonly leases: LeaseCache;
  readonly kv = new StaticKv();
  /** Requests under way that others of the same key wait for. */
  readonly flights = new Map<string, Promise<SharedRequest>>();
  limits: ProxyCacheConfig;
  readonly #clock: Clock;
  readonly #plain = new Map<string, number>();

  constructor(parts: LeaseCacheDeps, limits: ProxyCacheConfig) {
    this.#clock = parts.clock;
    this.limits = limits;
    this.leases = new LeaseCache(parts);
  }

  /** What is known of a static secret, if it is not too old. */
  findKv(key: string): { readonly answer: CachedAnswer; readonly ageMs: number } | undefined {
    const answer = this.kv.find(key);
    if (answer === undefined) return undefined;
    const ageMs = this.ageOf(answer);
    if (ageMs < (this.limits.staticKv?.maxStaleMs ?? 0)) return { answer, ageMs };
    this.kv.drop(key);
    return undefined;
  }

  ageOf(answer: CachedAnswer): number {
    return answer.ageMs({ monoMs: this.#clock.monoMs(), wallMs: this.#clock.wallMs() });
  }

  now(): { readonly monoMs: number; readonly wallMs: number } {
    return { monoMs: this.#clock.monoMs(), wallMs: this.#clock.wallMs() };
  }

  /**
   * Whether an answer still fits. Static ones go for it, the oldest first; a lease never does: somebody uses it, and it
   * would end unrenewed. When leases fill the room, further ones are passed on without being kept.
   */
  makeRoom(answer: CachedAnswer): boolean {
    const { maxEntries, maxBytes } = this.limits;
    const fits = () =>
      this.leases.size + this.kv.size < maxEntries && this.leases.bytes + this.kv.bytes + answer.bytes <= maxBytes;
    while (!fits()) if (!this.kv.dropOldest()) return false;
    return true;
  }

  /** An answer to such a request brought no lease: for a while nobody waits for another's. */
  learnPlain(what: string): void {
    this.#plain.delete(what);
    this.#plain.set(what, this.#clock.monoMs());
    if (this.#plain.size <= MAX_PLAIN) return;
    for (const oldest of this.#plain.keys()) {
      this.#plain.delete(oldest);
      return;
    }
  }

  isPlain(what: string): boolean {
    const atMs = this.#plain.get(what);
    return atMs !== undefined && this.#clock.monoMs() - atMs < PLAIN_MS;
  }

  clear(): void {
    this.leases.dropIf(() => true);
    this.kv.dropBelow('');
    this.#plain.clear();
  }

  [Symbol.dispose](): void {
    this.leases[Symbol.dispose]();
    this.kv.dropBelow('');
  }
}

/** Whole JSON of a moderate length, as it is. */
export function mayBeKept({ statusCode, headers }: IncomingMessage): boolean {
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
 * The cache of a backend, one for all listeners and over all configurations that use it: a new configuration must not
 * let the leases of the one before die. `release` gives it back; nobody uses it any more: it is disposed.
 */
export function shareCache(
  parts: LeaseCacheDeps,
  limits: ProxyCacheConfig,
): { readonly cache: ProxyCache; release(): void } {
  const { upstream } = parts;
  const own = shared.get(upstream) ?? { cache: new ProxyCache(parts, limits), users: 0 };
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
