import type { LeaseLife } from '../../backend/backend.ts';
import type { Upstream } from '../../backend/vault/upstream.ts';
import type { Clock } from '../../base/clock.ts';
import type { Emit } from '../../base/fact.ts';
import { DeadlineQueue } from '../../lease/deadline-queue.ts';
import { type ClockReading, decide, endsMonoMs, MIN_LIFE_MS, stoppedExtending } from '../../lease/schedule.ts';
import { digestOf } from './cache-key.ts';
import type { CachedAnswer } from './cached-answer.ts';
import type { LeaseEntry } from './lease-entry.ts';
import { renewEntry } from './lease-renewal.ts';
import type { LeasedValue, LeaseOwner } from './leased.ts';
import { describeCall } from './told-call.ts';

/** The members of an entry that the cache itself sets. */
type SetByCache = 'firstTtlMs' | 'failures' | 'cancel';

/** How many tokens of logins by the same request are kept: processes of one pod log in with one credential. */
const MAX_LOGINS_ALIKE = 8;

export interface LeaseCacheDeps {
  readonly upstream: Upstream;
  /** Name of the backend, for facts. */
  readonly backend: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
}

/**
 * Leases and tokens that were made through the proxy, by the request that made them. Each is renewed by the rules of
 * all leases (`lease/schedule.ts`). It is kept until a renewal is refused or extends it no further, until it is revoked
 * through the proxy, or until its owner ends: the agent's login, or a token in this cache. An entry that is dropped is
 * not revoked: clients may use it until it ends, and the next request like it makes a new one.
 */
export class LeaseCache implements Disposable {
  readonly #deps: LeaseCacheDeps;
  readonly #queue: DeadlineQueue;
  readonly #entries = new Map<string, LeaseEntry>();
  /** Entries that are tokens, by the digest of the token. */
  readonly #tokens = new Map<string, LeaseEntry>();
  readonly #stop = new AbortController();
  readonly #replacing: Disposable;
  #bytes = 0;

  constructor(deps: LeaseCacheDeps) {
    this.#deps = deps;
    this.#queue = new DeadlineQueue(deps.clock, (byMs) => this.#jumped(byMs));
    this.#replacing = deps.upstream.session.onReplacing(async ({ id }) => {
      this.dropIf(({ owner }) => owner.kind === 'login' && owner.login.id !== id);
    });
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The answer of an entry that has not ended. */
  find(key: string): CachedAnswer | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (this.#endsMs(entry) > this.#deps.clock.monoMs()) return entry.answer;
    this.#drop(entry);
    return undefined;
  }

  /** The token as the owner of leases; undefined when it was not made through the proxy. */
  ownerOf(token: string): LeaseOwner | undefined {
    const digest = digestOf(token);
    const entry = this.#tokens.get(digest);
    return entry?.leased.kind === 'token' ? { kind: 'token', digest, token: entry.leased.token } : undefined;
  }

  /** Keeps an answer and renews its lease or token. An entry with the same key is dropped. */
  keep(content: Omit<LeaseEntry, SetByCache>): void {
    const before = this.#entries.get(content.key);
    if (before !== undefined) this.#drop(before);
    const entry: LeaseEntry = { ...content, firstTtlMs: content.leased.life.ttlMs, failures: 0, cancel: () => {} };
    this.#entries.set(entry.key, entry);
    this.#bytes += entry.answer.bytes;
    if (entry.leased.kind === 'token') this.#tokens.set(digestOf(entry.leased.token), entry);
    this.#plan(entry);
  }

  /**
   * Keeps the token of a login. It is renewed, and its leases are kept, but `find` never gives its answer. Only the
   * last few logins by one request are kept, so that a client that logs in again and again leaves few tokens behind.
   * @param content `key` is that of the request.
   */
  keepLogin(
    content: Omit<LeaseEntry, SetByCache | 'owner'> & { readonly leased: LeasedValue & { readonly kind: 'token' } },
  ): void {
    const prefix = `login ${content.key} `;
    const alike = [...this.#entries.values()].filter(({ key }) => key.startsWith(prefix));
    for (const oldest of alike.slice(0, Math.max(0, alike.length + 1 - MAX_LOGINS_ALIKE))) this.#drop(oldest);
    this.keep({ ...content, key: prefix + digestOf(content.leased.token), owner: { kind: 'none' } });
  }

  /** Drops the entries that `fits` selects, and those that a dropped token owns. */
  dropIf(fits: (entry: LeaseEntry) => boolean): void {
    for (const entry of [...this.#entries.values()]) if (fits(entry)) this.#drop(entry);
  }

  /** Lets the child tokens of a token live on when it is revoked without them. Its leases still end with it. */
  orphanChildrenOf(digest: string): void {
    for (const entry of this.#entries.values()) {
      const isChild = entry.leased.kind === 'token' && entry.owner.kind === 'token' && entry.owner.digest === digest;
      if (isChild) entry.owner = { kind: 'none' };
    }
  }

  /** Renews entries that a client has renewed: their lives have changed, and a renewal shows how. */
  renewSoon(fits: (entry: LeaseEntry) => boolean): void {
    const soonMs = this.#deps.clock.monoMs() + MIN_LIFE_MS;
    for (const entry of this.#entries.values()) if (fits(entry)) this.#at(entry, soonMs, () => this.#renew(entry));
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#replacing[Symbol.dispose]();
    this.#queue.clear();
    this.#entries.clear();
    this.#tokens.clear();
  }

  #drop(entry: LeaseEntry): void {
    if (this.#entries.get(entry.key) !== entry) return;
    entry.cancel();
    this.#entries.delete(entry.key);
    this.#bytes -= entry.answer.bytes;
    if (entry.leased.kind !== 'token') return;
    const digest = digestOf(entry.leased.token);
    this.#tokens.delete(digest);
    this.dropIf(({ owner }) => owner.kind === 'token' && owner.digest === digest);
  }

  #endsMs({ leased: { life }, owner }: LeaseEntry): number {
    const { session } = this.#deps.upstream;
    const loginEndsMs = owner.kind === 'login' ? session.endsMonoMs(owner.login.id) : Number.POSITIVE_INFINITY;
    return endsMonoMs(life, loginEndsMs, this.#now());
  }

  #now(): ClockReading {
    const { clock } = this.#deps;
    return { wallMs: clock.wallMs(), monoMs: clock.monoMs() };
  }

  /**
   * Plans the next renewal, and answers in how many milliseconds it is. An entry that `decide` would fetch anew is
   * dropped instead: a client that needs it asks for it.
   */
  #plan(entry: LeaseEntry, retryAfterMs?: number): number {
    const { random } = this.#deps;
    const now = this.#now();
    const { failures, leased } = entry;
    const situation = { life: leased.life, fetchedWallMs: now.wallMs, failures, retryAfterMs };
    const next = decide(situation, { refreshMs: 0 }, now, random);
    this.#at(entry, next.atMonoMs, next.do === 'renew' ? () => this.#renew(entry) : () => this.#drop(entry));
    return next.atMonoMs - now.monoMs;
  }

  #at(entry: LeaseEntry, atMonoMs: number, then: () => void): void {
    entry.cancel();
    entry.cancel = this.#queue.at(atMonoMs, then);
  }

  #renew(entry: LeaseEntry): void {
    const { upstream, clock, emit, backend } = this.#deps;
    void renewEntry(upstream, entry, clock.monoMs(), this.#stop.signal).then((renewed) => {
      if (this.#stop.signal.aborted || this.#entries.get(entry.key) !== entry) return;
      if (renewed.is === 'extended') return this.#extend(entry, renewed.life);
      entry.failures++;
      const { failure } = renewed;
      const call = describeCall('', entry.path).trim();
      if (renewed.is === 'refused') {
        this.#drop(entry);
        this.#suspect(entry);
        emit({ kind: 'proxy-renew-failed', backend, call, failure });
      } else {
        const retryInMs = this.#plan(entry, failure.retryAfterMs);
        emit({ kind: 'proxy-renew-failed', backend, call, failure, retryInMs });
      }
    });
  }

  #extend(entry: LeaseEntry, life: LeaseLife): void {
    const before = entry.leased.life;
    entry.leased = { ...entry.leased, life };
    entry.failures = 0;
    if (!life.renewable || stoppedExtending(before, life)) this.#drop(entry);
    else this.#plan(entry);
  }

  /** Lets the session test the agent's login: when a renewal under it was refused, it may be dead. */
  #suspect({ owner, leased }: LeaseEntry): void {
    if (owner.kind !== 'login' || leased.kind === 'token') return;
    void this.#deps.upstream.session.suspect(owner.login.id).catch(() => {});
  }

  /** Shortens every life by the time that the machine slept, which the monotonic clock does not count. */
  #jumped(byMs: number): void {
    if (!(byMs > 0)) return;
    for (const entry of this.#entries.values()) {
      const { life } = entry.leased;
      entry.leased = { ...entry.leased, life: { ...life, startedMonoMs: life.startedMonoMs - byMs } };
      this.#plan(entry);
    }
  }
}
