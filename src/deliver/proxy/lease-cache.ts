import type { LeaseLife } from '../../backend/backend.ts';
import type { Upstream } from '../../backend/vault/upstream.ts';
import type { Clock } from '../../base/clock.ts';
import type { Emit } from '../../base/fact.ts';
import { DeadlineQueue } from '../../lease/deadline-queue.ts';
import { decide, endsMonoMs, MIN_LIFE_MS, stoppedExtending } from '../../lease/schedule.ts';
import { digestOf } from './cache-key.ts';
import type { CachedAnswer } from './cached-answer.ts';
import type { LeaseEntry } from './lease-entry.ts';
import { renewEntry } from './lease-renewal.ts';
import type { LeasedValue, LeaseOwner } from './leased.ts';
import { toldCall } from './told-call.ts';

/** What of an entry the cache itself says. */
type MadeHere = 'firstTtlMs' | 'failures' | 'cancel';

/** Tokens of logins by one and the same request: processes of one pod log in with one credential. */
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
 * all leases (`lease/schedule.ts`) and kept until a renewal is refused or brings no more, until it is revoked through
 * the proxy, or until what it hangs on ends: the agent's login, or a token in here. An entry that is dropped is not
 * revoked: somebody may use it to its own end, and the next request like it makes a new one.
 */
export class LeaseCache implements Disposable {
  readonly #parts: LeaseCacheDeps;
  readonly #queue: DeadlineQueue;
  readonly #entries = new Map<string, LeaseEntry>();
  readonly #tokens = new Map<string, LeaseEntry>();
  readonly #stop = new AbortController();
  readonly #replacing: Disposable;
  #bytes = 0;

  constructor(parts: LeaseCacheDeps) {
    this.#parts = parts;
    this.#queue = new DeadlineQueue(parts.clock, (byMs) => this.#jumped(byMs));
    this.#replacing = parts.upstream.session.onReplacing(async ({ id }) => {
      this.dropIf(({ owner }) => owner.kind === 'login' && owner.login.id !== id);
    });
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  find(key: string): CachedAnswer | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (this.#endsMs(entry) > this.#parts.clock.monoMs()) return entry.answer;
    this.#drop(entry);
    return undefined;
  }

  /** The token as something to hang on; undefined when it was not made through the proxy. */
  ownerOf(token: string): LeaseOwner | undefined {
    const digest = digestOf(token);
    const entry = this.#tokens.get(digest);
    return entry?.leased.kind === 'token' ? { kind: 'token', digest, token: entry.leased.token } : undefined;
  }

  keep(made: Omit<LeaseEntry, MadeHere>): void {
    const before = this.#entries.get(made.key);
    if (before !== undefined) this.#drop(before);
    const entry: LeaseEntry = { ...made, firstTtlMs: made.leased.life.ttlMs, failures: 0, cancel: () => {} };
    this.#entries.set(entry.key, entry);
    this.#bytes += entry.answer.bytes;
    if (entry.leased.kind === 'token') this.#tokens.set(digestOf(entry.leased.token), entry);
    this.#plan(entry);
  }

  /**
   * Keeps the token of a login: it is renewed and its leases are kept as others are, and `find` never gives its answer.
   * Of the logins that one request made the last few are kept, so that a client that logs in again and again leaves no
   * crowd of tokens behind.
   * @param made `key` is that of the request.
   */
  keepLogin(
    made: Omit<LeaseEntry, MadeHere | 'owner'> & { readonly leased: LeasedValue & { readonly kind: 'token' } },
  ): void {
    const prefix = `login ${made.key} `;
    const alike = [...this.#entries.values()].filter(({ key }) => key.startsWith(prefix));
    for (const oldest of alike.slice(0, Math.max(0, alike.length + 1 - MAX_LOGINS_ALIKE))) this.#drop(oldest);
    this.keep({ ...made, key: prefix + digestOf(made.leased.token), owner: { kind: 'none' } });
  }

  /** Drops what `fits`, and what hangs on it. */
  dropIf(fits: (entry: LeaseEntry) => boolean): void {
    for (const entry of [...this.#entries.values()]) if (fits(entry)) this.#drop(entry);
  }

  /** A token that is revoked without its children: its leases end, its child tokens live on by themselves. */
  orphanChildrenOf(digest: string): void {
    for (const entry of this.#entries.values()) {
      const isChild = entry.leased.kind === 'token' && entry.owner.kind === 'token' && entry.owner.digest === digest;
      if (isChild) entry.owner = { kind: 'none' };
    }
  }

  /** Somebody else renewed what `fits`: its life is another one now, and is learnt by renewing it too. */
  lookAgain(fits: (entry: LeaseEntry) => boolean): void {
    const soonMs = this.#parts.clock.monoMs() + MIN_LIFE_MS;
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
    const { clock, upstream } = this.#parts;
    const loginEndsMs = owner.kind === 'login' ? upstream.session.endsMonoMs(owner.login.id) : Number.POSITIVE_INFINITY;
    return endsMonoMs(life, loginEndsMs, { wallMs: clock.wallMs(), monoMs: clock.monoMs() });
  }

  /** What `decide` would fetch anew is dropped: whoever needs it asks for it. */
  #plan(entry: LeaseEntry, retryAfterMs?: number): number {
    const { clock, random } = this.#parts;
    const now = { wallMs: clock.wallMs(), monoMs: clock.monoMs() };
    const { failures, leased } = entry;
    const situation = { life: leased.life, fetchedWallMs: now.wallMs, failures, retryAfterMs, firstPoll: false };
    const next = decide(situation, { refreshMs: 0 }, now, random);
    this.#at(entry, next.atMonoMs, next.do === 'renew' ? () => this.#renew(entry) : () => this.#drop(entry));
    return next.atMonoMs - now.monoMs;
  }

  #at(entry: LeaseEntry, atMonoMs: number, then: () => void): void {
    entry.cancel();
    entry.cancel = this.#queue.at(atMonoMs, then);
  }

  #renew(entry: LeaseEntry): void {
    const { upstream, clock, emit, backend } = this.#parts;
    void renewEntry(upstream, entry, clock.monoMs(), this.#stop.signal).then((renewed) => {
      if (this.#stop.signal.aborted || this.#entries.get(entry.key) !== entry) return;
      if (renewed.is === 'extended') return this.#extend(entry, renewed.life);
      entry.failures++;
      const { failure } = renewed;
      const call = toldCall('', entry.path).trim();
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

  /** A refusal under the agent's login may mean that the login is dead. */
  #suspect({ owner, leased }: LeaseEntry): void {
    if (owner.kind !== 'login' || leased.kind === 'token') return;
    void this.#parts.upstream.session.suspect(owner.login.id).catch(() => {});
  }

  /** The machine slept, which the monotonic clock does not count: every life is shorter by that much. */
  #jumped(byMs: number): void {
    if (!(byMs > 0)) return;
    for (const entry of this.#entries.values()) {
      const { life } = entry.leased;
      entry.leased = { ...entry.leased, life: { ...life, startedMonoMs: life.startedMonoMs - byMs } };
      this.#plan(entry);
    }
  }
}
