import type { Clock } from '../../base/clock.ts';
import type { Code } from '../../base/codes.ts';
import { deadline } from '../../base/deadline.ts';
import { asFailure } from '../../base/errors.ts';

export interface OnDemandOptions {
  /** How long a value is answered without asking the service. */
  readonly ttlMs: number;
  readonly maxEntries: number;
  /** How long a value is kept after the service last confirmed it. */
  readonly maxStaleMs: number;
}

/** How values of one kind are read. */
export interface Reads<T> {
  /** @param patient whether the service is worth another try: there is no earlier value to answer with. */
  read(patient: boolean, signal: AbortSignal): Promise<T>;
  /** Whether the service still has this value as the one that is asked for. Absent: it can only be read. */
  isCurrent?(value: T, signal: AbortSignal): Promise<boolean>;
}

/** How an answer came about, for the counts. */
export type Origin = 'cached' | 'confirmed' | 'fetched' | 'stale';

/** A value that is kept. */
export interface Kept<T> {
  readonly value: T;
  /** When the service last said that this is the value, on the monotonic clock. */
  readonly confirmedMs: number;
  readonly freshUntilMs: number;
  /** Whether its read is in the audit log. */
  isAudited: boolean;
}

export interface OnDemandAnswer<T> {
  readonly kept: Kept<T>;
  readonly origin: Origin;
}

/** Failures that say nothing about the value: the earlier one is answered. */
const TRANSIENT: ReadonlySet<Code> = new Set([
  'BACKEND_UNREACHABLE',
  'BACKEND_TIMEOUT',
  'BACKEND_TLS',
  'BACKEND_UNAVAILABLE',
  'BACKEND_MALFORMED',
  'BACKEND_THROTTLED',
  'AUTH_SERVICE_DOWN',
] satisfies Code[]);

interface Flight<T> {
  readonly done: Promise<OnDemandAnswer<T>>;
  /** A read that begins when this one has ended, for clients that want a value from after their request. */
  next?: Promise<OnDemandAnswer<T>>;
}

/**
 * Values that clients named, kept as the AWS agent keeps them:
 *
 * 1. Within the ttl a value is answered as it is.
 * 2. After it the service is asked whether it is still the current one, and a new value is read only when it is not. A
 *    value that is still current begins a new ttl.
 * 3. When the service gives no usable answer, the earlier value begins a new ttl, until `maxStaleMs`.
 * 4. A refusal is passed on and not remembered.
 * 5. Above `maxEntries` the value that was written longest ago is dropped.
 *
 * Equal requests share one read. A value that was not confirmed for `maxStaleMs` is dropped even if nobody asks.
 */
export class OnDemandValues<T> implements Disposable {
  readonly #options: OnDemandOptions;
  readonly #clock: Clock;
  /** In the order in which they were written. */
  readonly #kept = new Map<string, Kept<T>>();
  readonly #flights = new Map<string, Flight<T>>();
  readonly #stop = new AbortController();
  #cancelSweep: (() => void) | undefined;
  #isRetired = false;

  constructor(options: OnDemandOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  get size(): number {
    return this.#kept.size;
  }

  /**
   * @param refreshNow the read begins after this call.
   * @throws what `reads` throws.
   */
  async get(key: string, refreshNow: boolean, reads: Reads<T>): Promise<OnDemandAnswer<T>> {
    const kept = this.#find(key);
    if (!refreshNow && kept !== undefined && this.#clock.monoMs() <= kept.freshUntilMs) {
      return { kept, origin: 'cached' };
    }
    const flight = this.#flights.get(key);
    if (flight === undefined) return await this.#begin(key, refreshNow, reads);
    if (!refreshNow) return await flight.done;
    flight.next ??= flight.done.then(ignore, ignore).then(() => this.#begin(key, true, reads));
    return await flight.next;
  }

  /** Drops all values and keeps none from now on. Reads that are under way go on for those who wait for them. */
  retire(): void {
    this.#isRetired = true;
    this.#cancelSweep?.();
    this.#kept.clear();
  }

  /** Ends the reads that are under way too. */
  [Symbol.dispose](): void {
    this.retire();
    this.#stop.abort();
  }

  #begin(key: string, refreshNow: boolean, reads: Reads<T>): Promise<OnDemandAnswer<T>> {
    const done = this.#renew(key, refreshNow ? undefined : this.#find(key), reads).finally(() => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    });
    const flight: Flight<T> = { done };
    this.#flights.set(key, flight);
    return done;
  }

  async #renew(key: string, earlier: Kept<T> | undefined, reads: Reads<T>): Promise<OnDemandAnswer<T>> {
    const { signal } = this.#stop;
    const nowMs = this.#clock.monoMs(); // before the request: a value is never taken for newer than it is
    try {
      if (earlier !== undefined && (await isCurrent(earlier.value, reads, signal))) {
        return { kept: this.#keep(key, earlier.value, nowMs, earlier.isAudited), origin: 'confirmed' };
      }
      return {
        kept: this.#keep(key, await reads.read(earlier === undefined, signal), nowMs, false),
        origin: 'fetched',
      };
    } catch (error) {
      const { code } = asFailure(error, 'api');
      const last = earlier === undefined ? undefined : this.#find(key);
      if (last !== undefined && TRANSIENT.has(code)) {
        return { kept: this.#keep(key, last.value, last.confirmedMs, last.isAudited), origin: 'stale' };
      }
      // The service refused a value that it once gave: a later outage must not bring it back.
      if (earlier !== undefined && code.startsWith('SECRET_')) this.#kept.delete(key);
      throw error;
    }
  }

  #keep(key: string, value: T, confirmedMs: number, isAudited: boolean): Kept<T> {
    const kept = { value, confirmedMs, freshUntilMs: this.#clock.monoMs() + this.#options.ttlMs, isAudited };
    this.#write(key, kept);
    return kept;
  }

  #write(key: string, kept: Kept<T>): void {
    if (this.#isRetired) return;
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > this.#options.maxEntries && oldest !== undefined) this.#kept.delete(oldest);
    this.#planSweep();
  }

  /** The value that is kept; undefined: there is none, or it is too old. */
  #find(key: string): Kept<T> | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined || !this.#isTooOld(kept)) return kept;
    this.#kept.delete(key);
    return undefined;
  }

  #isTooOld({ confirmedMs }: Kept<T>): boolean {
    return this.#clock.monoMs() - confirmedMs > this.#options.maxStaleMs;
  }

  #planSweep(): void {
    if (this.#cancelSweep !== undefined || this.#kept.size === 0) return;
    const { maxStaleMs } = this.#options;
    const ends = [...this.#kept.values()].map(({ confirmedMs }) => confirmedMs + maxStaleMs);
    const inMs = Math.max(1_000, Math.min(...ends) + 1 - this.#clock.monoMs());
    this.#cancelSweep = deadline(this.#clock, inMs, () => {
      this.#cancelSweep = undefined;
      for (const [key, kept] of this.#kept) if (this.#isTooOld(kept)) this.#kept.delete(key);
      this.#planSweep();
    });
  }
}

/** A policy that does not allow to ask may still allow to read: the value is read then. */
async function isCurrent<T>(value: T, reads: Reads<T>, signal: AbortSignal): Promise<boolean> {
  try {
    return (await reads.isCurrent?.(value, signal)) === true;
  } catch (error) {
    if (asFailure(error, 'api').code === 'SECRET_DENIED') return false;
    throw error;
  }
}

const ignore = (): void => {};
