import type { Backend, Want } from '../backend/backend.ts';
import type { Clock } from '../base/clock.ts';
import type { Emit } from '../base/fact.ts';
import { isSamePlainData } from '../base/plain-data-equal.ts';
import { Subscribers } from '../base/subscribers.ts';
import type { Tracing } from '../base/tracing.ts';
import { Attempts, type FindKept } from './attempts.ts';
import { BackendLogins } from './backend-logins.ts';
import { Deadlines } from './deadlines.ts';
import { bringForward, clockJumped, type DisruptionContext, expireLeases, moveLeases } from './disruptions.ts';
import type { EarlierValues } from './earlier.ts';
import { createItem, type Item, type Occasion } from './item.ts';
import { ItemWriter, type SecretEvent, type WhyExpired } from './item-writer.ts';
import type { Replaced } from './replaced.ts';
import type { SecretEntry, Snapshot } from './snapshot.ts';
import { Snapshots } from './snapshots.ts';
import type { Watches, WatchesDeps } from './watches.ts';

/**
 * Called after each attempt and each change of state.
 * @param names all names of the secret.
 * @param occasion what the attempt was made for; for a change without an attempt, what the last one was made for.
 */
export type SecretListener = (names: ReadonlySet<string>, event: SecretEvent, occasion: Occasion) => void;

export interface LeaseManagerOptions {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly emit: Emit;
  /** Absent: there are no traces. */
  readonly tracing?: Tracing | undefined;
  /**
   * False, for `init`: a secret that has a value is fetched again neither at its `refresh` nor when another secret
   * changed. Leases are renewed and failed attempts are retried all the same. Absent: true.
   */
  readonly polls?: boolean;
  /** What an earlier process kept for a want; absent: nothing is kept. */
  readonly kept?: FindKept;
  /** What an earlier process knew of secrets and logins; absent: nothing. */
  readonly earlier?: () => EarlierValues | undefined;
  /** Told of each lease, and each certificate to be revoked, that another value has taken the place of. */
  readonly onReplaced?: (replaced: Replaced) => void;
}

/**
 * Keeps every wanted secret fresh, and is the one writer of per-secret state. It fetches, renews, replaces and polls as
 * `schedule.ts` decides. A failure keeps the last good value and never touches another secret.
 *
 * The state of one secret is an `Item`. The manager says which items there are, and answers for what is known of them.
 * It holds the parts together that work on them: `Attempts` makes the fetches and renewals, `Deadlines` says when the
 * next thing is due, `ItemWriter` writes entries, `BackendLogins` knows which login of a backend is the newest,
 * `Watches` has what backends tell between fetches, and `disruptions.ts` does what concerns many items at once.
 *
 * What always holds:
 * - `#items` has one item per want of the last `reconcile`, by the want's id. `#byName` has the same items by each of
 *   their names, and an item's `names` are those names. An item that leaves `#items` is gone.
 * - `#watches` is undefined until `startWatching` was called, and has each item from then on.
 * - Listeners are called synchronously, after the state was written: a listener that takes a snapshot sees the change.
 */
export class LeaseManager {
  readonly #emit: Emit;
  readonly #deadlines: Deadlines;
  readonly #writer: ItemWriter;
  readonly #items = new Map<string, Item>();
  #byName = new Map<string, Item>();
  readonly #listeners = new Subscribers<Parameters<SecretListener>>();
  readonly #logins: BackendLogins;
  readonly #attempts: Attempts;
  readonly #snapshots = new Snapshots(this);
  readonly #watchesDeps: WatchesDeps;
  #watches: Watches | undefined;

  constructor({ clock, random, emit, tracing, polls = true, kept, earlier, onReplaced }: LeaseManagerOptions) {
    const snapshots = this.#snapshots;
    const deadlines = new Deadlines(
      { clock, random, polls },
      {
        attempt: (item, doing) => void attempts.start(item, doing),
        expire: (item, why) => this.#expire(item, why),
        overdue: (item) => attempts.overdue(item),
        clockJumped: (byMs) => clockJumped(context, byMs),
      },
    );
    const writer = new ItemWriter({ clock, emit, snapshots, deadlines, onReplaced });
    const logins = new BackendLogins({
      replaced: (backend) => moveLeases(context, backend),
      died: (backend) => expireLeases(context, backend),
      recovered: (backend, outageMs) => bringForward(context, backend, outageMs),
    });
    const shared = { clock, emit, snapshots, deadlines, writer, logins };
    const notify = (item: Item, event: SecretEvent) => this.#notify(item, event);
    const attempts = new Attempts({ ...shared, polls, tracing, kept, earlier, notify });
    const context: DisruptionContext = { ...shared, attempts, items: () => this.#items.values() };
    this.#emit = emit;
    this.#deadlines = deadlines;
    this.#writer = writer;
    this.#logins = logins;
    this.#attempts = attempts;
    this.#watchesDeps = context;
  }

  /**
   * Keeps exactly these wants from now on. Idempotent. A want whose id stays keeps its value, its lease and its
   * deadline, also under another name. A new want is fetched at once. A want that is no longer there, or whose backend
   * was opened anew, is dropped.
   * @param wants by name; two names may have the same want.
   * @param backends by name; must hold the backend of each want.
   * @throws TypeError when a want's backend is missing.
   */
  reconcile(wants: ReadonlyMap<string, Want>, backends: ReadonlyMap<string, Backend>): void {
    this.#logins.follow(new Set(backends.values()));
    const namesById = new Map<string, Set<string>>();
    for (const [name, want] of wants) {
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
    for (const [name, want] of wants) {
      const names = namesById.get(want.id) as ReadonlySet<string>;
      const item = this.#adopt(want, names, backends.get(want.backend));
      if (this.#byName.get(name) !== item) this.#writer.renumber(item);
      byName.set(name, item);
    }
    this.#byName = byName;
    this.#snapshots.changed();
  }

  /**
   * Keeps one more want, beside those of the last `reconcile`, without looking at the others: the next one must have it
   * too. Does nothing when the name has a want already.
   */
  add(name: string, want: Want, backend: Backend): void {
    if (this.#byName.has(name) || this.#items.has(want.id)) return;
    this.#byName.set(name, this.#adopt(want, new Set([name]), backend));
    this.#snapshots.changed();
  }

  /** Has what an earlier process knew stand by for wants without a value: it became known after their fetch began. */
  standByEarlier(): void {
    for (const item of this.#items.values()) this.#attempts.standByEarlier(item);
  }

  /**
   * The present state of `names` (default: all), frozen. A snapshot costs one map entry per name; the snapshot of all
   * names is kept until something changes.
   */
  snapshot(names?: Iterable<string>): Snapshot {
    return this.#snapshots.take(names);
  }

  /** What is known of one secret now; undefined for an unknown name, and until its first answer has come. */
  entryOf(name: string): SecretEntry | undefined {
    return this.#byName.get(name)?.entry;
  }

  /** Each want once, with what is known of it; undefined until its first answer has come. */
  *entries(): Iterable<readonly [want: Want, entry: SecretEntry | undefined]> {
    for (const { want, entry } of this.#items.values()) yield [want, entry];
  }

  /** Each value that is held now, once, as `onReplaced` tells of those that were replaced. */
  *held(): Iterable<Replaced> {
    for (const { want, backend, names, entry } of this.#items.values()) {
      if (entry === undefined || entry.state === 'absent') continue;
      yield { want, backend, names, old: entry.value };
    }
  }

  /** The identity of a secret's want, see `Want.id`; undefined for an unknown name. */
  wantIdOf(name: string): string | undefined {
    return this.#byName.get(name)?.want.id;
  }

  /** When the next attempt for a secret is due; undefined while one runs, when none is due, and for an unknown name. */
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

  /**
   * When the value ends that was replaced by the present one after `sinceMonoMs`; infinite when none was, or when
   * nothing ends it.
   */
  replacedEndsMonoMs(name: string, sinceMonoMs: number): number {
    const replaced = this.#byName.get(name)?.replaced;
    return replaced !== undefined && replaced.atMonoMs >= sinceMonoMs ? replaced.endsMonoMs : Number.POSITIVE_INFINITY;
  }

  /** Every name that is wanted now, those of computed secrets included. */
  names(): Iterable<string> {
    return this.#byName.keys();
  }

  /** By the name of each backend that an attempt runs for: when the oldest of its running attempts began. */
  oldestAttempts(): ReadonlyMap<string, number> {
    const oldest = new Map<string, number>();
    for (const { running, startedMonoMs, want } of this.#items.values()) {
      if (running === undefined || startedMonoMs >= (oldest.get(want.backend) ?? Number.POSITIVE_INFINITY)) continue;
      oldest.set(want.backend, startedMonoMs);
    }
    return oldest;
  }

  /** Calls `listener` after each attempt and change of state, synchronously, until disposed of. It must not throw. */
  onEvent(listener: SecretListener): Disposable {
    return this.#listeners.add(listener);
  }

  /** Whether an attempt for this secret runs now. */
  isBusy(name: string): boolean {
    return this.#byName.get(name)?.running !== undefined;
  }

  /** Whether this secret's first answer is still to come; that its backend is in trouble counts as an answer. */
  isAwaited(name: string): boolean {
    const item = this.#byName.get(name);
    return item?.running !== undefined && !item.wasNotified;
  }

  /**
   * Fetches a secret now, see `Attempts.refresh`, and resolves to its entry; a failure is in the entry.
   * @throws TypeError for an unknown name.
   */
  async refresh(name: string): Promise<SecretEntry | undefined> {
    const item = this.#byName.get(name);
    if (item === undefined) throw new TypeError(`there is no secret named ${name}`);
    await this.#attempts.refresh(item);
    return item.entry;
  }

  /** See `Attempts.pullForward`. Does nothing for unknown names. */
  pullForward(name: string, by: string): void {
    const item = this.#byName.get(name);
    const changed = this.#byName.get(by);
    if (item !== undefined && changed !== undefined) this.#attempts.pullForward(item, changed);
  }

  /** By how much the next deadline is past; more than a moment means that the agent does not keep up. */
  lateMs(): number {
    return this.#deadlines.lateMs();
  }

  /**
   * Subscribes to what backends tell between fetches, for present and later secrets.
   * @param createWatches is given by the caller, since `init` does not need it and so does not load it.
   */
  startWatching(createWatches: (deps: WatchesDeps) => Watches): void {
    this.#watches ??= createWatches(this.#watchesDeps);
    for (const item of this.#items.values()) this.#watches.add(item);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#attempts[Symbol.dispose]();
    this.#logins.follow(new Set());
    this.#listeners.clear();
    const running = [...this.#items.values()].map(({ running }) => running);
    for (const [id, item] of this.#items) this.#drop(id, item);
    this.#byName = new Map();
    this.#deadlines.clear();
    await Promise.all(running);
  }

  #adopt(want: Want, names: ReadonlySet<string>, backend: Backend | undefined): Item {
    const known = this.#items.get(want.id);
    if (known !== undefined) {
      const { refreshMs, maxStaleMs, request } = known.want;
      known.want = want;
      known.names = names;
      if (refreshMs !== want.refreshMs) this.#watches?.follow(want);
      const isIdle = known.running === undefined && known.entry !== undefined;
      const hasOtherUpkeep = !isSamePlainData(request.upkeep, want.request.upkeep);
      if (isIdle && (hasOtherUpkeep || refreshMs !== want.refreshMs || maxStaleMs !== want.maxStaleMs)) {
        this.#deadlines.planNext(known);
        this.#deadlines.planExpiry(known);
      }
      return known;
    }
    if (backend === undefined) throw new TypeError(`there is no backend named ${want.backend}`);
    const item = createItem(want, backend, names);
    this.#items.set(want.id, item);
    this.#watches?.add(item);
    void this.#attempts.start(item, 'fetch');
    return item;
  }

  #drop(id: string, item: Item): void {
    this.#items.delete(id);
    item.isGone = true;
    item.abort?.abort('dropped'); // without a reason each abort would create an error with a stack
    item.cancelNext();
    item.cancelExpiry();
    item.cancelOverdue();
    this.#watches?.drop(id);
  }

  #expire(item: Item, why: WhyExpired): void {
    this.#writer.expire(item, why);
    this.#snapshots.changed();
    this.#notify(item, 'settled');
  }

  #notify(item: Item, event: SecretEvent): void {
    item.wasNotified = true;
    this.#listeners.tell(item.names, event, item.occasion);
  }
}
