import type { KeptValue, LeaseLife, Restorer } from '../backend/backend.ts';
import { isNothingThere } from '../backend/nothing-there.ts';
import { isOutage } from '../backend/outage.ts';
import type { Clock } from '../base/clock.ts';
import { asFailure, type Failure } from '../base/errors.ts';
import type { Emit } from '../base/fact.ts';
import type { Tracing } from '../base/tracing.ts';
import { setUrgency, URGENCY, type Urgency } from '../base/urgency.ts';
import type { BackendLogins } from './backend-logins.ts';
import type { Deadlines } from './deadlines.ts';
import type { EarlierContext, EarlierValues, TakenUp } from './earlier.ts';
import { type Item, isPolled, lifeOf } from './item.ts';
import type { ItemWriter, SecretEvent } from './item-writer.ts';
import type { Snapshots } from './snapshots.ts';

/** Finds what an earlier process kept for a want, in outputs that need its names or at its backend. */
export type FindKept = (item: Pick<Item, 'want' | 'names' | 'backend'>) => Promise<KeptValue | undefined>;

/** The shortest time between two refreshes of a secret that mints: a client in a loop must not mint without end. */
const MIN_MINT_GAP_MS = 1_000;

/**
 * Why an attempt is asked for. `due`: its deadline has come, a refresh was asked for, or the login was replaced.
 * `asked`: a client or a person wants it now. `pushed`: the backend says that the value may have changed. `pull`:
 * another secret of the same output has changed.
 */
export type AttemptReason = 'due' | 'pushed' | 'pull' | 'asked';

export interface AttemptsDeps {
  readonly clock: Clock;
  readonly emit: Emit;
  /** False: no change of another secret brings a fetch forward. */
  readonly polls: boolean;
  /** Absent: there are no traces. */
  readonly tracing?: Tracing | undefined;
  readonly deadlines: Deadlines;
  readonly writer: ItemWriter;
  readonly logins: BackendLogins;
  readonly snapshots: Snapshots;
  /** What an earlier process kept for a want; absent: nothing is kept. */
  readonly kept?: FindKept | undefined;
  /** What an earlier process knew; undefined: nothing is kept from one process to the next. */
  readonly earlier?: (() => EarlierValues | undefined) | undefined;
  /** Called when an attempt has ended, or the state of an item has changed without one. */
  notify(item: Item, event: SecretEvent): void;
}

/**
 * Makes the attempts of items: fetches, and renewals of leases.
 *
 * What always holds for an item:
 * - At most one attempt runs, and `running` is its promise. While it runs, the item has no deadline for a next attempt.
 * - When an attempt has ended and the item is not gone, the next attempt has a deadline or runs already. Only a secret
 *   that is not polled and whose value promises no end has neither.
 * - `followUp` is set when the running attempt may have read too early for a reason that came meanwhile. One fetch
 *   follows that attempt, however many reasons came. After a failed attempt a `pull` does not count: the backoff does.
 * - `fetchesBegun` and `fetchesEnded` number the fetches, so that a refresh can wait for one that began after the
 *   refresh was asked for.
 * - An item that is gone gets no further attempt and no deadline. Its running attempt is aborted, and no listener is
 *   notified when that attempt ends.
 */
export class Attempts implements Disposable {
  readonly #deps: AttemptsDeps;
  readonly #stop = new AbortController();

  readonly #earlierContext: EarlierContext;

  constructor(deps: AttemptsDeps) {
    this.#deps = deps;
    const { clock, writer, notify } = deps;
    this.#earlierContext = { clock, writer, notify, markTrouble: (item, why) => this.#markTrouble(item, why) };
  }

  /**
   * Begins an attempt, or joins the one that runs. A renewal of what cannot be renewed is a fetch. With `pushed` and
   * `pull` a fetch follows the running attempt, which may have read before the reason came. Resolves when the attempt,
   * not the fetch that follows it, has succeeded or failed; never rejects.
   */
  start(item: Item, asked: 'fetch' | 'renew', why: AttemptReason = 'due'): Promise<void> {
    const occasion = why === 'pull' ? 'pull' : 'turn';
    if (item.running !== undefined) {
      if (why !== 'due' && why !== 'asked' && item.followUp !== 'turn') item.followUp = occasion;
      return item.running;
    }
    item.cancelNext();
    item.startedMonoMs = this.#deps.clock.monoMs();
    item.occasion = occasion;
    if (occasion === 'turn') item.pullableFromMonoMs = Number.NEGATIVE_INFINITY;
    const lease = asked === 'renew' ? leaseToRenew(item) : undefined;
    if (lease === undefined) {
      item.fetchesBegun++;
      item.mustCatchUp = false;
    }
    const urgency = this.#urgencyOf(item, why);
    const attempt = () => this.#try(item, lease, urgency);
    const doing = lease === undefined ? 'fetch' : 'renew';
    item.running = this.#deps.tracing?.within({ kind: 'attempt', secrets: item.names, doing }, attempt) ?? attempt();
    this.#deps.deadlines.planOverdue(item);
    return item.running;
  }

  /**
   * Resolves when a fetch has ended that began after this call; a failure keeps the value. All calls that come while a
   * fetch runs share the next one. A secret that mints is fetched once a second at most. Never rejects.
   */
  async refresh(item: Item): Promise<void> {
    const wanted = item.fetchesBegun + 1;
    await new Promise(setImmediate); // calls of one turn of the event loop share the fetch
    while (!item.isGone && item.fetchesEnded < wanted) {
      const waitMs = isPolled(item) ? 0 : item.startedMonoMs + MIN_MINT_GAP_MS - this.#deps.clock.monoMs();
      if (item.running !== undefined) await item.running;
      else if (waitMs > 0) await this.#deps.clock.sleep(waitMs, this.#stop.signal);
      else await this.start(item, 'fetch', 'asked');
    }
  }

  /**
   * Fetches an item before its time, since `by`, a secret of the same output, has changed: now, or after an attempt
   * that already runs, which may have read too early. A secret is pulled forward once between two attempts of its own;
   * one that is polled much more rarely than `by` and did change is pulled again with the next change of `by`. Does
   * nothing for a secret that would mint, and for one whose last attempt failed, which is retried anyway.
   */
  pullForward(item: Item, by: Item): void {
    if (item.entry === undefined || !this.#deps.polls || !isPolled(item)) return;
    const now = this.#deps.clock.monoMs();
    if (item.failures > 0 || item.pullableFromMonoMs > now) return;
    const everyMs = by.want.refreshMs;
    const isRare = item.want.refreshMs >= 2 * everyMs;
    // A poll of `by` may come a tenth of its interval early.
    item.pullableFromMonoMs = isRare ? now + 0.9 * everyMs : Number.POSITIVE_INFINITY;
    void this.start(item, 'fetch', 'pull');
  }

  /**
   * Fetches an item anew if its lease belongs to a login that was replaced. A running attempt may itself be waiting for
   * the next login and bring a lease of that login; then one fetch is enough. Never rejects.
   */
  async moveToNewLogin(item: Item): Promise<void> {
    if (item.running !== undefined) await item.running;
    if (!item.isGone && this.#deps.logins.hasLeaseOfOldLogin(item)) await this.start(item, 'fetch');
  }

  /**
   * For an attempt that has run for a second without an answer: marks the value stale if the backend has no login, as
   * the attempt then waits for that login.
   */
  overdue(item: Item): void {
    const why = item.backend.trouble?.();
    if (why === undefined) return;
    this.#markTrouble(item, why);
    this.#deps.notify(item, 'settled');
  }

  /** Has an earlier value served when the running attempt of an item without a value gets no answer. */
  standByEarlier(item: Item): void {
    if (item.running !== undefined && isUnanswered(item)) this.#deps.earlier?.()?.standBy(item, this.#earlierContext);
  }

  /** Ends the waits of refreshes. */
  [Symbol.dispose](): void {
    this.#stop.abort();
  }

  /** Renews `lease`; fetches when there is none to renew. */
  async #try(item: Item, lease: LeaseLife | undefined, urgency: Urgency): Promise<void> {
    const doing = lease === undefined ? 'fetch' : 'renew';
    let failed: Failure | undefined;
    let event: SecretEvent = 'settled';
    let stopsExtending = false;
    const isFirst = item.fetchesBegun === 1 && lease === undefined;
    const restore = isFirst && this.#deps.kept ? item.backend.source.restorer?.(item.want) : undefined;
    const kept = restore === undefined ? undefined : await this.#restore(item, restore);
    const asksEarlier = isFirst || (lease === undefined && isUnanswered(item)); // the state may be opened late
    const earlier = asksEarlier && kept === undefined ? this.#deps.earlier?.() : undefined;
    const restored =
      earlier === undefined ? kept : await earlier.takeUp(item, this.#earlierContext, this.#begin(item, urgency));
    using standBy = restored === undefined ? earlier?.standBy(item, this.#earlierContext) : undefined;
    const limiter = doing === 'fetch' && restored === undefined ? this.#deps.logins.limiterOf(item) : undefined;
    await limiter?.enter();
    try {
      if (lease !== undefined) {
        stopsExtending = await this.#deps.writer.renew(item, lease, this.#begin(item, urgency));
      } else if (restored !== undefined) {
        ({ event, failed } = restored);
      } else if (!item.isGone) {
        event = await this.#deps.writer.fetch(item, this.#begin(item, urgency));
      }
    } catch (error) {
      failed = asFailure(error, item.want.place);
      event = item.isGone ? event : (standBy?.failed(failed) ?? event);
    }
    if (failed === undefined || !isOutage(failed)) item.isAnswered = true;
    limiter?.leave();
    item.running = undefined;
    item.abort = undefined;
    item.cancelOverdue();
    if (doing === 'fetch') item.fetchesEnded = item.fetchesBegun;
    if (item.isGone) return;
    if (item.occasion === 'pull' && event !== 'changed') item.pullableFromMonoMs = Number.POSITIVE_INFINITY;
    const fetchHelps = stopsExtending && !this.#deps.deadlines.endsWithLogin(item);
    const mustFetch = failed === undefined && (fetchHelps || this.#deps.logins.hasLeaseOfOldLogin(item));
    if (failed !== undefined && mayBeAbsent(item, failed)) event = this.#notThere(item, failed);
    else if (failed !== undefined) this.#failed(item, doing, failed);
    else this.#succeeded(item, mustFetch);
    this.#deps.notify(item, event);
    const followUp = mustFetch ? 'turn' : item.followUp;
    item.followUp = undefined;
    if (followUp === 'pull' && failed !== undefined) return;
    // A listener may have started the next attempt already.
    if (followUp === undefined || item.running !== undefined) return;
    void this.start(item, 'fetch', followUp === 'pull' ? 'pull' : 'due');
  }

  #begin(item: Item, urgency: Urgency): AbortSignal {
    item.abort = new AbortController();
    // The announced rotation of a password is not its end: the old one is good until a read brings another.
    const endsMs = lifeOf(item)?.kind === 'rotates' ? undefined : this.#deps.deadlines.endsMonoMs(item);
    setUrgency(item.abort.signal, urgency, endsMs);
    return item.abort.signal;
  }

  #urgencyOf(item: Item, why: AttemptReason): Urgency {
    if (why === 'asked') return URGENCY.asked;
    if (lifeOf(item) === undefined) return URGENCY.first;
    return isPolled(item) && item.entry?.state !== 'expired' ? URGENCY.poll : URGENCY.ending;
  }

  /**
   * Takes up the value that an earlier process kept, if it is good. Its next attempt is due when it would have been for
   * that process. A value that is lost costs one fetch.
   */
  async #restore(item: Item, restore: Restorer): Promise<TakenUp | undefined> {
    const { kept, writer } = this.#deps;
    const found = await kept?.(item).catch(() => undefined);
    const value = found === undefined ? undefined : await restore(found.fields);
    if (found === undefined || value === undefined || item.isGone) return undefined;
    return { event: writer.restore(item, value, found.cameWallMs) };
  }

  /**
   * A renewal that a fetch must follow does not reset the count of failures. Otherwise a fetch that keeps failing would
   * be retried after a short wait each time, with a renewal in between.
   */
  #succeeded(item: Item, mustFetch: boolean): void {
    if (!mustFetch) item.failures = 0;
    this.#deps.snapshots.changed();
    this.#deps.deadlines.planExpiry(item);
    this.#deps.deadlines.planNext(item);
  }

  /**
   * That the secret does not exist is an answer and no failure: the backend is asked again at the secret's `refresh`,
   * without backoff.
   */
  #notThere(item: Item, why: Failure): SecretEvent {
    item.failures = 0;
    item.cancelExpiry();
    const { event, again } = this.#deps.writer.notThere(item, why);
    if (item.entry?.state === 'stale') this.#deps.deadlines.planExpiry(item);
    this.#deps.snapshots.changed();
    const nextInMs = this.#deps.deadlines.planNext(item);
    this.#deps.emit({ kind: 'secret-absent', secrets: [...item.names], failure: why, again, nextInMs });
    return event;
  }

  #failed(item: Item, doing: 'fetch' | 'renew', why: Failure): void {
    item.failures++;
    const life = lifeOf(item);
    // A denied renewal stays denied: the lease counts as not renewable from now on, and is replaced before its end.
    if (doing === 'renew' && why.code === 'SECRET_DENIED' && life?.kind === 'lease') {
      this.#deps.writer.setLife(item, { ...life, renewable: false });
      item.failures = 0;
    }
    this.#markTrouble(item, why);
    // After BACKEND_REJECTED the backend no longer knows the lease: the next attempt is a fetch, with backoff.
    const retryMs = this.#deps.deadlines.planNext(
      item,
      why.retryAfterMs,
      doing === 'renew' && why.code === 'BACKEND_REJECTED',
    );
    this.#deps.emit({ kind: 'secret-failed', secrets: [...item.names], doing, failure: why, retryInMs: retryMs });
  }

  #markTrouble(item: Item, why: Failure): void {
    this.#deps.writer.markTrouble(item, why);
    this.#deps.deadlines.planExpiry(item);
    this.#deps.snapshots.changed();
  }
}

/** Whether there is no value, and the backend has not refused it either. */
function isUnanswered({ entry, isAnswered }: Item): boolean {
  return !isAnswered && (entry === undefined || entry.state === 'absent');
}

/** The lease that a renewal extends. Undefined when the value has none, or the source renews none. */
function leaseToRenew(item: Item): LeaseLife | undefined {
  const life = lifeOf(item);
  return life?.kind === 'lease' && item.backend.source.renew !== undefined ? life : undefined;
}

/** Whether a failure means that the secret may be absent. A lease that cannot be fetched anew is always a failure. */
function mayBeAbsent(item: Item, why: Failure): boolean {
  const { optional, absentWhenGone } = item.want;
  return (optional || absentWhenGone === true) && isPolled(item) && isNothingThere(why);
}
