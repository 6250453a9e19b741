import type { Backend, Fetch, Fetched, LeaseLife, Life, Source, Want, WatchListener } from '../src/backend/backend.ts';
import type { FileRequest } from '../src/backend/file/config.ts';
import type { Clock } from '../src/base/clock.ts';
import type { Code } from '../src/base/codes.ts';
import { fail } from '../src/base/errors.ts';
import { Secret } from '../src/base/secret.ts';
import { equalValues } from '../src/base/value.ts';

type Answer = { readonly fields: Record<string, string>; readonly life?: Life } | Code | (() => Promise<Fetched>);

/** A backend in memory: a test sets each of its answers, and it records the requests it gets. */
export class MemoryBackend implements Backend {
  readonly name = 'memory';
  readonly where = 'memory';
  readonly identity = 'memory';
  readonly source: Source;
  readonly answers = new Map<string, Answer>();
  /** The outcome of the next renewals of a key: a new ttl in ms, or a failure with this code. */
  readonly renewals = new Map<string, number | Code>();
  readonly fetches: string[] = [];
  readonly renews: string[] = [];
  /** Key and version of each value that was revoked. */
  readonly revokes: string[] = [];
  /** Why the revocations of a key fail. */
  readonly revocations = new Map<string, Code>();
  /** Whether a fetch with equal fields is answered as `unchanged`, also for a lease. */
  fetchesAgain = false;
  /** How long each answer to a fetch takes, by the test's clock. */
  latencyMs = 0;
  /** When the present login ends, on the monotonic clock. */
  loginEnds = Number.POSITIVE_INFINITY;
  /** Tells the lease manager that a secret has changed, once it watches. */
  watched: (() => void) | undefined;
  /** All that the lease manager is told of the want that it watches last. */
  listener: WatchListener | undefined;
  readonly #clock: Clock;
  #move: ((next: number) => Promise<void>) | undefined;
  #died: (() => void) | undefined;
  #recovered: ((outageMs: number) => void) | undefined;
  #login = 1;
  #serial = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.source = {
      fetch: (want, last, signal) => this.#fetch(want, last, signal),
      renew: (want, life) => this.#renew(want, life),
      revoke: async (want, { version }) => {
        const refused = this.revocations.get(keyOf(want));
        this.revokes.push(`${keyOf(want)} ${version}`);
        if (refused !== undefined) throw fail(refused, want.place, 'as the test says');
      },
      watch: (_want, listener) => {
        this.listener = listener;
        this.watched = () => listener.changed();
        return { [Symbol.dispose]: () => {} };
      },
    };
  }

  lease(ttlMs: number, renewable = true): Life {
    const leaseId = Secret.text(`lease-${this.#serial++}`);
    return { kind: 'lease', leaseId, ttlMs, renewable, startedMonoMs: this.#clock.monoMs(), loginId: this.#login };
  }

  set(key: string, fields: Record<string, string>, life?: Life): void {
    this.answers.set(key, life === undefined ? { fields } : { fields, life });
  }

  /** From now on each fetch of `key` mints a new value under a new lease. */
  mint(key: string, ttlMs: number, renewable = true): void {
    let minted = 0;
    this.answers.set(key, async () => ({
      fields: new Map([['password', Secret.text(`minted-${++minted}`)]]),
      version: `${minted}`,
      life: this.lease(ttlMs, renewable),
    }));
  }

  /** Makes the next login; resolves when the leases of the last one were fetched under it. */
  replaceLogin(): Promise<void> | undefined {
    return this.#move?.(++this.#login);
  }

  /** Ends the login in use before its time. */
  killLogin(): void {
    this.loginEnds = Number.NEGATIVE_INFINITY;
    this.#died?.();
  }

  /** Says that an outage is over that took so long. */
  recover(outageMs: number): void {
    this.#recovered?.(outageMs);
  }

  onRecovered(listener: (outageMs: number) => void): Disposable {
    this.#recovered = listener;
    return { [Symbol.dispose]: () => {} };
  }

  onLoginDead(listener: () => void): Disposable {
    this.#died = listener;
    return { [Symbol.dispose]: () => {} };
  }

  fetchesOf(key: string): number {
    return this.fetches.filter((fetched) => fetched === key).length;
  }

  loginEndsMonoMs(): number {
    return this.loginEnds;
  }

  onLoginReplacing(move: (next: number) => Promise<void>): Disposable {
    this.#move = move;
    return { [Symbol.dispose]: () => {} };
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #fetch(want: Want, last: Fetched | undefined, signal: AbortSignal): Promise<Fetch> {
    const key = keyOf(want);
    this.fetches.push(key);
    if (this.latencyMs > 0) await this.#clock.sleep(this.latencyMs, signal);
    if (signal.aborted) throw fail('CANCELLED', want.place, 'stopped');
    const answer = this.answers.get(key) ?? 'SECRET_NOT_FOUND';
    if (typeof answer === 'string') throw fail(answer, want.place, 'as the test says');
    if (typeof answer === 'function') return { state: 'changed', value: await answer() };
    const fields = new Map(Object.entries(answer.fields).map(([name, text]) => [name, Secret.text(text)]));
    const life = answer.life ?? { kind: 'none' };
    if (last !== undefined && (life.kind === 'none' || this.fetchesAgain) && equalValues(last.fields, fields)) {
      return { state: 'unchanged', life };
    }
    return { state: 'changed', value: { fields, version: `${++this.#serial}`, life } };
  }

  async #renew(want: Want, life: LeaseLife): Promise<LeaseLife> {
    const key = keyOf(want);
    this.renews.push(key);
    const renewal = this.renewals.get(key) ?? life.ttlMs;
    if (typeof renewal === 'string') throw fail(renewal, want.place, 'as the test says');
    return { ...life, ttlMs: renewal, startedMonoMs: this.#clock.monoMs() };
  }
}

/** A want of `key`, whose id is the key too. */
export function wantOf(key: string, more: Partial<Want> = {}): Want {
  return {
    id: key,
    backend: 'memory',
    request: { kind: 'file', key },
    place: `secrets.${key}.key`,
    refreshMs: 300_000,
    optional: false,
    ...more,
  };
}

/** Wants by name; each is named as its key. */
export function wantsOf(...keys: readonly string[]): ReadonlyMap<string, Want> {
  return new Map(keys.map((key) => [key, wantOf(key)]));
}

function keyOf({ request }: Want): string {
  return request.kind === 'file' ? (request as FileRequest).key : request.kind;
}
