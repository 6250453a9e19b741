import type { Backend, Life, Want } from '../backend/backend.ts';
import type { Clock } from '../base/clock.ts';
import type { Emit } from '../base/fact.ts';
import { Attempts } from './attempts.ts';
import { BackendLogins } from './backend-logins.ts';
import { Deadlines } from './deadlines.ts';
import { createItem, type Item, isPolled, lifeOf, type Occasion } from './item.ts';
import { ItemWriter, type SecretEvent, type WhyExpired } from './item-writer.ts';
import type { SecretEntry, Snapshot } from './snapshot.ts';

/**
 * Told after each attempt and each change of state: `came` with the first value, `changed` with another one.
 * @param occasion of the attempt that brought it.
 */
export type SecretListener = (names: ReadonlySet<string>, what: SecretEvent, occasion: Occasion) => void;

export interface LeaseManagerOptions {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly emit: Emit;
  /**
   * False: a value that came is not asked for again because its `refresh` is over, nor because another one changed;
   * what `init` needs. Leases are renewed and failures tried again all the same.
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
  readonly #heard = new Set<SecretListener>();
  readonly #logins: BackendLogins;
  readonly #attempts: Attempts;
  #number = 0;
  #snapshot: Snapshot | undefined;
  #watching = false;
  readonly #watches = new Map<string, Disposable>();
  readonly #polls: boolean;

  constructor({ clock, random, emit, polls = true }: LeaseManagerOptions) {
    this.#clock = clock;
    this.#polls = polls;
    this.#emit = emit;
    this.#deadlines = new Deadlines(
      { clock, random, polls },
      {
        attempt: (item, doing) => void this.#attempts.start(item, doing),
        expire: (item, why) => this.#expire(item, why),
        overdue: (item) => this.#attempts.overdue(item),
        clockJumped: (byMs) => this.#clockJumped(byMs),
      },
    );
    this.#writer = new ItemWriter(
      clock,
      emit,
      () => this.#stateChanged(),
      (item) => this.#deadlines.hasEnded(item),
    );
    this.#logins = new BackendLogins({
      replaced: (backend) => this.#moveLeases(backend),
      died: (backend) => this.#loginDied(backend),
    });
    this.#attempts = new Attempts({
      clock,
      emit,
      deadlines: this.#deadlines,
      writer: this.#writer,
      logins: this.#logins,
      stateChanged: () => void this.#stateChanged(),
      tell: (item, what) => this.#tell(item, what),
    });
  }

  /**
   * Makes the set of wants that of `named`. Idempotent. A want whose id stays keeps its value, its lease and its
   * deadline, also under another name; a new one is fetched at once; one no longer named, or whose backend was opened
   * anew, is dropped.
   * @param backends by name; must hold every backend that `named` names.
   */
  reconcile(named: ReadonlyMap<string, Want>, backends: ReadonlyMap<string, Backend>): void {
    this.#logins.follow(new Set(backends.values()));
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
    const entries = new Map<string, SecretEntry>();
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
  entryOf(name: string): SecretEntry | undefined {
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
  onEvent(heard: SecretListener): Disposable {
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

  /** See Attempts.refresh. @throws TypeError for an unknown name. */
  async refresh(name: string): Promise<SecretEntry | undefined> {
    const item = this.#byName.get(name);
    if (item === undefined) throw new TypeError(`there is no secret named ${name}`);
    await this.#attempts.refresh(item);
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
    void this.#attempts.start(item, 'fetch', 'pull');
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
    this.#attempts[Symbol.dispose]();
    this.#logins.follow(new Set());
    this.#heard.clear();
    const running = [...this.#items.values()].map(({ running }) => running);
    for (const [id, item] of this.#items) this.#drop(id, item);
    this.#byName = new Map();
    this.#deadlines.clear();
    await Promise.all(running);
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
    void this.#attempts.start(item, 'fetch');
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
    const changed = () => void this.#attempts.start(item, 'fetch', 'again');
    this.#watches.set(item.want.id, watch.call(item.backend.source, item.want, changed));
  }

  #expire(item: Item, why: WhyExpired): void {
    this.#writer.expire(item, why);
    this.#stateChanged();
    this.#tell(item, 'settled');
  }

  /** Fetches what hangs on an older login under the newest one; resolves when each was tried once. */
  async #moveLeases(backend: Backend): Promise<void> {
    const old = [...this.#items.values()].filter(
      (item) => item.backend === backend && this.#logins.hangsOnOldLogin(item),
    );
    await Promise.all(old.map((item) => this.#attempts.moveToNewLogin(item)));
  }

  /** What hangs on a login that is known dead has ended with it. */
  #loginDied(backend: Backend): void {
    for (const item of this.#items.values()) {
      if (item.backend === backend && lifeOf(item)?.kind === 'lease') this.#deadlines.planExpiry(item);
    }
  }

  /**
   * A jump forward may have been a suspension, during which backends counted on and our monotonic clock did not: lives
   * are shortened by it. Then everything is planned anew, with fresh jitter.
   */
  #clockJumped(byMs: number): void {
    this.#emit({ kind: 'clock-jumped', byMs: Math.round(byMs) });
    this.#logins.clockJumped(byMs);
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

  #tell(item: Item, what: SecretEvent): void {
    item.isTold = true;
    for (const heard of [...this.#heard]) heard(item.names, what, item.occasion);
  }
}

/** What is left of a life after `byMs` that the monotonic clock did not count. */
function shortened(life: Life, byMs: number): Life {
  if (life.kind === 'lease' || life.kind === 'rotates') return { ...life, startedMonoMs: life.startedMonoMs - byMs };
  if (life.kind !== 'ends' || life.clock !== 'mono') return life;
  return { ...life, startMs: life.startMs - byMs, endMs: life.endMs - byMs };
}
