import type { Clock } from '../base/clock.ts';
import { asFailure, type Failure } from '../base/errors.ts';
import type { Emit } from '../base/fact.ts';
import { isNothingThere } from '../source/nothing-there.ts';
import type { Backend, Life, Want } from '../source/source.ts';
import { Deadlines } from './deadlines.ts';
import { Gate } from './gate.ts';
import { createItem, type Item, isPolled, lifeOf, type Occasion } from './item.ts';
import { ItemWriter, type What, type WhyExpired } from './item-writer.ts';
import type { Entry, Snapshot } from './snapshot.ts';

/**
 * Told after each attempt and each change of state: `came` with the first value, `changed` with another one.
 * @param occasion of the attempt that brought it.
 */
export type Heard = (names: ReadonlySet<string>, what: What, occasion: Occasion) => void;

/** Readers that ask for refreshes in a loop get new credentials this often at most. */
const MINT_GAP_MS = 1_000;

export interface LeaseManagerOptions {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly emit: Emit;
  /**
   * False: a value that came is not asked for again because its `refresh` is over, nor because another one changed; what
   * `init` needs. Leases are renewed and failures tried again all the same.
   */
  readonly polls?: boolean;
}

/**
 * Keeps every wanted secret fresh: the one writer of per-secret state. Fetches, renews, replaces and polls as
 * `schedule.ts` decides; a failure keeps the last good value and never touches another secret.
 */
export class LeaseManager {
  readonly #clock: Clock;
  readonly #emit: Emit;
  readonly #deadlines: Deadlines;
  readonly #writer: ItemWriter;
  readonly #items = new Map<string, Item>();
  #byName: ReadonlyMap<string, Item> = new Map();
  readonly #heard = new Set<Heard>();
  /** Each backend in use, with how to stop listening to its logins. */
  readonly #backends = new Map<Backend, readonly (Disposable | undefined)[]>();
  readonly #newestLogin = new Map<Backend, number>();
  readonly #gates = new WeakMap<Backend, Gate>();
  #number = 0;
  #snapshot: Snapshot | undefined;
  #watching = false;
  readonly #watches = new Map<string, Disposable>();
  readonly #stop = new AbortController();
  readonly #polls: boolean;

  constructor({ clock, random, emit, polls = true }: LeaseManagerOptions) {
    this.#clock = clock;
    this.#polls = polls;
    this.#emit = emit;
    this.#deadlines = new Deadlines(
      { clock, random, polls },
      {
        attempt: (item, doing) => void this.#attempt(item, doing),
        expire: (item, why) => this.#expire(item, why),
        overdue: (item) => this.#overdue(item),
        clockJumped: (byMs) => this.#clockJumped(byMs),
      },
    );
    this.#writer = new ItemWriter(
      clock,
      emit,
      () => this.#stateChanged(),
      (item) => this.#deadlines.hasEnded(item),
    );
  }

  /**
   * Makes the set of wants that of `named`. Idempotent. A want whose id stays keeps its value, its lease and its
   * deadline, also under another name; a new one is fetched at once; one no longer named, or whose backend was opened
   * anew, is dropped.
   * @param backends by name; must hold every backend that `named` names.
   */
  reconcile(named: ReadonlyMap<string, Want>, backends: ReadonlyMap<string, Backend>): void {
    this.#listenTo(new Set(backends.values()));
    const namesById = new Map<string, Set<string>>();
    for (const [name, want] of named) {
      const names = namesById.get(want.id);
      if (names === undefined) namesById.set(want.id, new Set([name]));
      else names.add(name);
    }
    for (const [id, item] of this.#items) {
      if (namesById.has(id) && backends.get(item.want.backend) === item.backend) continue;
      this.#drop(id, item);
      this.#emit({ kind: 'secret-dropped', secrets: [...item.names] });
    }
    const byName = new Map<string, Item>();
    for (const [name, want] of named) {
      const names = namesById.get(want.id) as ReadonlySet<string>;
      const item = this.#adopt(want, names, backends.get(want.backend));
      if (this.#byName.get(name) !== item) this.#writer.renumber(item);
      byName.set(name, item);
    }
    this.#byName = byName;
    this.#stateChanged();
  }

  /**
   * The present state of `names` (default: all), frozen. Costs a map entry per name asked for; the whole one is kept
   * until something changes.
   */
  snapshot(names?: Iterable<string>): Snapshot {
    if (names === undefined && this.#snapshot !== undefined) return this.#snapshot;
    const entries = new Map<string, Entry>();
    for (const name of names ?? this.#byName.keys()) {
      const entry = this.#byName.get(name)?.entry;
      if (entry !== undefined) entries.set(name, entry);
    }
    const snapshot = Object.freeze({
      number: this.#number,
      get: (name: string) => entries.get(name),
      names: () => entries.keys(),
    });
    if (names === undefined) this.#snapshot = snapshot;
    return snapshot;
  }

  /** What is known of one secret now. */
  entryOf(name: string): Entry | undefined {
    return this.#byName.get(name)?.entry;
  }

  /** When the next attempt for a secret is due; undefined while one runs, and for an unknown name. */
  nextMonoMs(name: string): number | undefined {
    const item = this.#byName.get(name);
    return item?.running === undefined ? item?.nextMonoMs : undefined;
  }

  /** When a secret's value stops being valid (lease, login, certificate); undefined when nothing is known to end it. */
  endsMonoMs(name: string): number | undefined {
    const item = this.#byName.get(name);
    const ends = item === undefined ? Number.POSITIVE_INFINITY : this.#deadlines.endsMonoMs(item);
    return Number.isFinite(ends) ? ends : undefined;
  }

  /** Every name that is wanted now, those of computed paths too. */
  names(): Iterable<string> {
    return this.#byName.keys();
  }

  /** When the oldest attempt that runs now began, by the name of its backend. */
  oldestAttempts(): ReadonlyMap<string, number> {
    const oldest = new Map<string, number>();
    for (const { running, startedMonoMs, want } of this.#items.values()) {
      if (running === undefined || startedMonoMs >= (oldest.get(want.backend) ?? Number.POSITIVE_INFINITY)) continue;
      oldest.set(want.backend, startedMonoMs);
    }
    return oldest;
  }

  /** Calls `heard` after each attempt, synchronously; it must not throw. */
  onEvent(heard: Heard): Disposable {
    this.#heard.add(heard);
    return { [Symbol.dispose]: () => void this.#heard.delete(heard) };
  }

  /** Whether an attempt for this one runs now. */
  isBusy(name: string): boolean {
    return this.#byName.get(name)?.running !== undefined;
  }

  /** Whether the very first answer for this one is still to come; its backend being in trouble counts as one. */
  isAwaited(name: string): boolean {
    const item = this.#byName.get(name);
    return item?.running !== undefined && !item.isTold;
  }

  /**
   * Resolves when a fetch has ended that began after this was called; a failure keeps the value. All who ask while one
   * runs share the next one. What mints is fetched once a second at most. Never rejects but for an unknown name.
   */
  async refresh(name: string): Promise<Entry | undefined> {
    const item = this.#byName.get(name);
    if (item === undefined) throw new TypeError(`no secret named ${name}`);
    const wanted = item.fetchesBegun + 1;
    await new Promise(setImmediate); // those who ask in one turn of the event loop share the fetch
    while (!item.isGone && item.fetchesEnded < wanted) {
      const waitMs = isPolled(item) ? 0 : item.startedMonoMs + MINT_GAP_MS - this.#clock.monoMs();
      if (item.running !== undefined) await item.running;
      else if (waitMs > 0) await this.#clock.sleep(waitMs, this.#stop.signal);
      else await this.#attempt(item, 'fetch');
    }
    return item.entry;
  }

  /**
   * Asks for `name` out of turn since `by`, which arrives together with it, has changed: now, or after an attempt that
   * already runs, which may have read too early. That happens once between two attempts of its own; a secret that is
   * asked for much more rarely than `by` and did change is pulled again with the next change of `by`. Nothing is done
   * for a secret that would mint, and for one that failed, which is tried again by itself.
   */
  pullForward(name: string, by: string): void {
    const item = this.#byName.get(name);
    const puller = this.#byName.get(by);
    if (item?.entry === undefined || puller === undefined || !this.#polls || !isPolled(item)) return;
    const now = this.#clock.monoMs();
    if (item.failures > 0 || item.pullableFromMonoMs > now) return;
    const everyMs = puller.want.refreshMs;
    const isRare = item.want.refreshMs >= 2 * everyMs;
    // A poll may come a tenth before its refresh.
    item.pullableFromMonoMs = isRare ? now + 0.9 * everyMs : Number.POSITIVE_INFINITY;
    void this.#attempt(item, 'fetch', 'pull');
  }

  /** By how much the next deadline is past; more than a moment means that time is no longer kept. */
  lateMs(): number {
    return this.#deadlines.lateMs();
  }

  /** From now on backends that can push changes do; `init` has no use for it. */
  startWatching(): void {
    this.#watching = true;
    for (const item of this.#items.values()) this.#watch(item);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#listenTo(new Set());
    this.#heard.clear();
    const running = [...this.#items.values()].map(({ running }) => running);
    for (const [id, item] of this.#items) this.#drop(id, item);
    this.#byName = new Map();
    this.#deadlines.clear();
    await Promise.all(running);
  }

  #listenTo(backends: ReadonlySet<Backend>): void {
    for (const [backend, subscriptions] of this.#backends) {
      if (backends.has(backend)) continue;
      for (const subscription of subscriptions) subscription?.[Symbol.dispose]();
      this.#backends.delete(backend);
      this.#newestLogin.delete(backend);
    }
    for (const backend of backends) {
      if (this.#backends.has(backend)) continue;
      this.#gates.set(backend, new Gate());
      this.#backends.set(backend, [
        backend.onLoginReplacing?.((next) => this.#moveLeases(backend, next)),
        backend.onLoginDead?.(() => this.#loginDied(backend)),
      ]);
    }
  }

  #adopt(want: Want, names: ReadonlySet<string>, backend: Backend | undefined): Item {
    const known = this.#items.get(want.id);
    if (known !== undefined) {
      const { refreshMs, maxStaleMs } = known.want;
      known.want = want;
      known.names = names;
      const isIdle = known.running === undefined && known.entry !== undefined;
      if (isIdle && (refreshMs !== want.refreshMs || maxStaleMs !== want.maxStaleMs)) {
        this.#deadlines.planNext(known);
        this.#deadlines.planExpiry(known);
      }
      return known;
    }
    if (backend === undefined) throw new TypeError(`no backend named ${want.backend}`);
    const item = createItem(want, backend, names);
    this.#items.set(want.id, item);
    if (this.#watching) this.#watch(item);
    void this.#attempt(item, 'fetch');
    return item;
  }

  #drop(id: string, item: Item): void {
    this.#items.delete(id);
    item.isGone = true;
    item.abort?.abort('dropped'); // a reason of ours: the default one is an error with a stack for each
    item.cancelNext();
    item.cancelExpiry();
    item.cancelOverdue();
    this.#watches.get(id)?.[Symbol.dispose]();
    this.#watches.delete(id);
  }

  #watch(item: Item): void {
    const { watch } = item.backend.source;
    if (watch === undefined || this.#watches.has(item.want.id)) return;
    const changed = () => void this.#attempt(item, 'fetch', 'again');
    this.#watches.set(item.want.id, watch.call(item.backend.source, item.want, changed));
  }

  /**
   * One attempt at a time per item. `again` and `pull`: an attempt that already runs may miss the reason, so one more
   * follows it.
   */
  #attempt(item: Item, doing: 'fetch' | 'renew', why: 'due' | 'again' | 'pull' = 'due'): Promise<void> {
    const occasion = why === 'pull' ? 'pull' : 'turn';
    if (item.running !== undefined) {
      if (why !== 'due' && item.again !== 'turn') item.again = occasion;
      return item.running;
    }
    item.cancelNext();
    item.startedMonoMs = this.#clock.monoMs();
    item.occasion = occasion;
    if (occasion === 'turn') item.pullableFromMonoMs = Number.NEGATIVE_INFINITY;
    if (doing === 'fetch') item.fetchesBegun++;
    item.running = this.#try(item, doing);
    this.#deadlines.planOverdue(item);
    return item.running;
  }

  async #try(item: Item, doing: 'fetch' | 'renew'): Promise<void> {
    let failed: Failure | undefined;
    let what: What = 'settled';
    let fetchNow = false;
    const gate = doing === 'fetch' ? this.#gates.get(item.backend) : undefined;
    await gate?.enter();
    try {
      const life = lifeOf(item);
      if (doing === 'renew' && life?.kind === 'lease' && item.backend.source.renew !== undefined) {
        fetchNow = await this.#writer.renew(item, life, begin(item));
      } else if (!item.isGone) {
        what = await this.#writer.fetch(item, begin(item));
      }
    } catch (error) {
      failed = asFailure(error, item.want.place);
    }
    gate?.leave();
    item.running = undefined;
    item.abort = undefined;
    item.cancelOverdue();
    if (doing === 'fetch') item.fetchesEnded = item.fetchesBegun;
    if (item.isGone) return;
    if (item.occasion === 'pull' && what !== 'changed') item.pullableFromMonoMs = Number.POSITIVE_INFINITY;
    const isOfUse = fetchNow && !this.#deadlines.endsWithLogin(item);
    const mustFetch = failed === undefined && (isOfUse || this.#hangsOnOldLogin(item));
    if (failed !== undefined && mayBeAbsent(item, failed)) what = this.#notThere(item, failed);
    else if (failed !== undefined) this.#failed(item, doing, failed);
    else this.#succeeded(item, mustFetch);
    this.#tell(item, what);
    const again = mustFetch ? 'turn' : item.again;
    item.again = undefined;
    if (again === 'pull' && failed !== undefined) return;
    // A subscriber may have started the next attempt already.
    if (again === undefined || item.running !== undefined) return;
    void this.#attempt(item, 'fetch', again === 'pull' ? 'pull' : 'due');
  }

  /**
   * A renewal after which a fetch is due all the same ends no series of failures: else a fetch that keeps failing would
   * be tried again and again after a short wait, with a renewal in between.
   */
  #succeeded(item: Item, mustFetch: boolean): void {
    if (!mustFetch) item.failures = 0;
    this.#stateChanged();
    this.#deadlines.planExpiry(item);
    const keptMonoMs = item.occasion === 'pull' && isPolled(item) ? item.nextMonoMs : undefined;
    this.#deadlines.planNext(item);
    if (keptMonoMs !== undefined) this.#deadlines.keepNext(item, keptMonoMs);
  }

  /** An answer like any other: asked for again at the refresh of the secret, and told once. */
  #notThere(item: Item, why: Failure): What {
    item.failures = 0;
    item.cancelExpiry();
    const { what, again } = this.#writer.notThere(item, why);
    if (item.entry?.state === 'stale') this.#deadlines.planExpiry(item);
    this.#stateChanged();
    const nextInMs = this.#deadlines.planNext(item);
    this.#emit({ kind: 'secret-absent', secrets: [...item.names], failure: why, again, nextInMs });
    return what;
  }

  #failed(item: Item, doing: 'fetch' | 'renew', why: Failure): void {
    item.failures++;
    const life = lifeOf(item);
    // A denied renewal stays denied: the lease is now one that cannot be renewed, and is replaced before its end.
    if (doing === 'renew' && why.code === 'SECRET_DENIED' && life?.kind === 'lease') {
      this.#writer.setLife(item, { ...life, renewable: false });
      item.failures = 0;
    }
    this.#troubled(item, why);
    // The backend no longer knows the lease: what hangs on it is dead, so the next attempt is a fetch, with backoff.
    const retryMs = this.#deadlines.planNext(
      item,
      why.retryAfterMs,
      doing === 'renew' && why.code === 'BACKEND_REJECTED',
    );
    this.#emit({ kind: 'secret-failed', secrets: [...item.names], doing, failure: why, retryInMs: retryMs });
  }

  #troubled(item: Item, why: Failure): void {
    this.#writer.trouble(item, why);
    this.#deadlines.planExpiry(item);
    this.#stateChanged();
  }

  #expire(item: Item, why: WhyExpired): void {
    this.#writer.expire(item, why);
    this.#stateChanged();
    this.#tell(item, 'settled');
  }

  /** An attempt that waits for a login that does not come is no progress: the value is marked stale meanwhile. */
  #overdue(item: Item): void {
    const why = item.backend.trouble?.();
    if (why === undefined) return;
    this.#troubled(item, why);
    this.#tell(item, 'settled');
  }

  /** Fetches under `next` what hangs on an older login; resolves when each of them was tried once. */
  async #moveLeases(backend: Backend, next: number): Promise<void> {
    this.#newestLogin.set(backend, next);
    const moved: Promise<void>[] = [];
    for (const item of this.#items.values()) {
      if (item.backend !== backend || !this.#hangsOnOldLogin(item)) continue;
      moved.push(this.#move(item));
    }
    await Promise.all(moved);
  }

  /** What hangs on a login that is known dead has ended with it. */
  #loginDied(backend: Backend): void {
    for (const item of this.#items.values()) {
      if (item.backend === backend && lifeOf(item)?.kind === 'lease') this.#deadlines.planExpiry(item);
    }
  }

  /** An attempt that runs may wait for the next login itself, and bring a lease under it: one fetch is enough. */
  async #move(item: Item): Promise<void> {
    if (item.running !== undefined) await item.running;
    if (!item.isGone && this.#hangsOnOldLogin(item)) await this.#attempt(item, 'fetch');
  }

  #hangsOnOldLogin(item: Item): boolean {
    const life = lifeOf(item);
    return life?.kind === 'lease' && life.loginId < (this.#newestLogin.get(item.backend) ?? 0);
  }

  /**
   * A jump forward may have been a suspension, during which backends counted on and our monotonic clock did not: lives
   * are shortened by it. Then everything is planned anew, with fresh jitter.
   */
  #clockJumped(byMs: number): void {
    this.#emit({ kind: 'clock-jumped', byMs: Math.round(byMs) });
    for (const backend of this.#backends.keys()) backend.clockJumped?.(byMs);
    for (const item of this.#items.values()) {
      const life = lifeOf(item);
      const left = byMs > 0 && life !== undefined ? shortened(life, byMs) : life;
      if (left !== undefined && left !== life) {
        this.#writer.setLife(item, left);
        this.#stateChanged();
      }
      this.#deadlines.planExpiry(item);
      if (item.running === undefined && item.entry !== undefined) this.#deadlines.planNextSpread(item);
    }
  }

  #stateChanged(): number {
    this.#snapshot = undefined;
    return ++this.#number;
  }

  #tell(item: Item, what: What): void {
    item.isTold = true;
    for (const heard of [...this.#heard]) heard(item.names, what, item.occasion);
  }
}

/** A lease that cannot be fetched anew is in trouble, whatever the reason. */
function mayBeAbsent(item: Item, why: Failure): boolean {
  const { optional, absentWhenGone } = item.want;
  return (optional || absentWhenGone === true) && isPolled(item) && isNothingThere(why);
}

function begin(item: Item): AbortSignal {
  item.abort = new AbortController();
  return item.abort.signal;
}

/** What is left of a life after `byMs` that the monotonic clock did not count. */
function shortened(life: Life, byMs: number): Life {
  if (life.kind === 'lease' || life.kind === 'rotates') return { ...life, startedMonoMs: life.startedMonoMs - byMs };
  if (life.kind !== 'ends' || life.clock !== 'mono') return life;
  return { ...life, startMs: life.startMs - byMs, endMs: life.endMs - byMs };
}
