import { isNothingThere } from '../backend/nothing-there.ts';
import type { Clock } from '../base/clock.ts';
import { asFailure, type Failure } from '../base/errors.ts';
import type { Emit } from '../base/fact.ts';
import type { BackendLogins } from './backend-logins.ts';
import type { Deadlines } from './deadlines.ts';
import { type Item, isPolled, lifeOf } from './item.ts';
import type { ItemWriter, SecretEvent } from './item-writer.ts';

/** Readers that ask for refreshes in a loop get new credentials this often at most. */
const MINT_GAP_MS = 1_000;

/**
 * Why an attempt is asked for. `due`: its deadline has come. `again`: backend or reader says that the value may have
 * changed. `pull`: another secret of the same output has changed.
 */
export type AttemptReason = 'due' | 'again' | 'pull';

export interface AttemptsDeps {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly deadlines: Deadlines;
  readonly writer: ItemWriter;
  readonly logins: BackendLogins;
  /** An item has another value or state: the next snapshot differs. */
  stateChanged(): void;
  /** An attempt has ended, or the state of an item has changed: listeners are told. */
  tell(item: Item, what: SecretEvent): void;
}

/**
 * Makes the attempts of items: fetches, and renewals of leases.
 *
 * What always holds for an item:
 * - One attempt runs at most, and `running` is its promise. While it runs, the item has no deadline for a next attempt.
 * - When it has ended and the item is not gone, the next attempt has a deadline, or runs already.
 * - `again` says that the running attempt may have read too early for a reason that came meanwhile: one more fetch
 *   follows it, however many reasons came. A reason `pull` is dropped when the attempt failed: its backoff counts.
 * - `fetchesBegun` and `fetchesEnded` number the fetches, so that a refresh can tell one that began after it was asked
 *   for.
 * - A gone item is left alone: its attempt was aborted, and what it still brings is not written.
 */
export class Attempts implements Disposable {
  readonly #deps: AttemptsDeps;
  readonly #stop = new AbortController();

  constructor(deps: AttemptsDeps) {
    this.#deps = deps;
  }

  /**
   * Begins an attempt, or joins the one that runs. For `again` and `pull` one more follows a running attempt, which may
   * have read before the reason came. Resolves when the attempt has ended, whichever way; never rejects.
   */
  start(item: Item, doing: 'fetch' | 'renew', why: AttemptReason = 'due'): Promise<void> {
    const occasion = why === 'pull' ? 'pull' : 'turn';
    if (item.running !== undefined) {
      if (why !== 'due' && item.again !== 'turn') item.again = occasion;
      return item.running;
    }
    item.cancelNext();
    item.startedMonoMs = this.#deps.clock.monoMs();
    item.occasion = occasion;
    if (occasion === 'turn') item.pullableFromMonoMs = Number.NEGATIVE_INFINITY;
    if (doing === 'fetch') item.fetchesBegun++;
    item.running = this.#try(item, doing);
    this.#deps.deadlines.planOverdue(item);
    return item.running;
  }

  /**
   * Resolves when a fetch has ended that began after this was called; a failure keeps the value. All who ask while one
   * runs share the next one. What mints is fetched once a second at most. Never rejects.
   */
  async refresh(item: Item): Promise<void> {
    const wanted = item.fetchesBegun + 1;
    await new Promise(setImmediate); // those who ask in one turn of the event loop share the fetch
    while (!item.isGone && item.fetchesEnded < wanted) {
      const waitMs = isPolled(item) ? 0 : item.startedMonoMs + MINT_GAP_MS - this.#deps.clock.monoMs();
      if (item.running !== undefined) await item.running;
      else if (waitMs > 0) await this.#deps.clock.sleep(waitMs, this.#stop.signal);
      else await this.start(item, 'fetch');
    }
  }

  /** An attempt that runs may wait for the next login itself, and bring a lease under it: one fetch is enough. */
  async moveToNewLogin(item: Item): Promise<void> {
    if (item.running !== undefined) await item.running;
    if (!item.isGone && this.#deps.logins.hangsOnOldLogin(item)) await this.start(item, 'fetch');
  }

  /** An attempt that waits for a login that does not come is no progress: the value is marked stale meanwhile. */
  overdue(item: Item): void {
    const why = item.backend.trouble?.();
    if (why === undefined) return;
    this.#troubled(item, why);
    this.#deps.tell(item, 'settled');
  }

  /** Lets refreshes that wait for their moment end. */
  [Symbol.dispose](): void {
    this.#stop.abort();
  }

  async #try(item: Item, doing: 'fetch' | 'renew'): Promise<void> {
    let failed: Failure | undefined;
    let what: SecretEvent = 'settled';
    let fetchNow = false;
    const gate = doing === 'fetch' ? this.#deps.logins.gateOf(item.backend) : undefined;
    await gate?.enter();
    try {
      const life = lifeOf(item);
      if (doing === 'renew' && life?.kind === 'lease' && item.backend.source.renew !== undefined) {
        fetchNow = await this.#deps.writer.renew(item, life, begin(item));
      } else if (!item.isGone) {
        what = await this.#deps.writer.fetch(item, begin(item));
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
    const isOfUse = fetchNow && !this.#deps.deadlines.endsWithLogin(item);
    const mustFetch = failed === undefined && (isOfUse || this.#deps.logins.hangsOnOldLogin(item));
    if (failed !== undefined && mayBeAbsent(item, failed)) what = this.#notThere(item, failed);
    else if (failed !== undefined) this.#failed(item, doing, failed);
    else this.#succeeded(item, mustFetch);
    this.#deps.tell(item, what);
    const again = mustFetch ? 'turn' : item.again;
    item.again = undefined;
    if (again === 'pull' && failed !== undefined) return;
    // A subscriber may have started the next attempt already.
    if (again === undefined || item.running !== undefined) return;
    void this.start(item, 'fetch', again === 'pull' ? 'pull' : 'due');
  }

  /**
   * A renewal after which a fetch is due all the same ends no series of failures: else a fetch that keeps failing would
   * be tried again and again after a short wait, with a renewal in between.
   */
  #succeeded(item: Item, mustFetch: boolean): void {
    if (!mustFetch) item.failures = 0;
    this.#deps.stateChanged();
    this.#deps.deadlines.planExpiry(item);
    const keptMonoMs = item.occasion === 'pull' && isPolled(item) ? item.nextMonoMs : undefined;
    this.#deps.deadlines.planNext(item);
    if (keptMonoMs !== undefined) this.#deps.deadlines.keepNext(item, keptMonoMs);
  }

  /** An answer like any other: asked for again at the refresh of the secret, and told once. */
  #notThere(item: Item, why: Failure): SecretEvent {
    item.failures = 0;
    item.cancelExpiry();
    const { what, again } = this.#deps.writer.notThere(item, why);
    if (item.entry?.state === 'stale') this.#deps.deadlines.planExpiry(item);
    this.#deps.stateChanged();
    const nextInMs = this.#deps.deadlines.planNext(item);
    this.#deps.emit({ kind: 'secret-absent', secrets: [...item.names], failure: why, again, nextInMs });
    return what;
  }

  #failed(item: Item, doing: 'fetch' | 'renew', why: Failure): void {
    item.failures++;
    const life = lifeOf(item);
    // A denied renewal stays denied: the lease is now one that cannot be renewed, and is replaced before its end.
    if (doing === 'renew' && why.code === 'SECRET_DENIED' && life?.kind === 'lease') {
      this.#deps.writer.setLife(item, { ...life, renewable: false });
      item.failures = 0;
    }
    this.#troubled(item, why);
    // The backend no longer knows the lease: what hangs on it is dead, so the next attempt is a fetch, with backoff.
    const retryMs = this.#deps.deadlines.planNext(
      item,
      why.retryAfterMs,
      doing === 'renew' && why.code === 'BACKEND_REJECTED',
    );
    this.#deps.emit({ kind: 'secret-failed', secrets: [...item.names], doing, failure: why, retryInMs: retryMs });
  }

  #troubled(item: Item, why: Failure): void {
    this.#deps.writer.trouble(item, why);
    this.#deps.deadlines.planExpiry(item);
    this.#deps.stateChanged();
  }
}

function begin(item: Item): AbortSignal {
  item.abort = new AbortController();
  return item.abort.signal;
}

/** A lease that cannot be fetched anew is in trouble, whatever the reason. */
function mayBeAbsent(item: Item, why: Failure): boolean {
  const { optional, absentWhenGone } = item.want;
  return (optional || absentWhenGone === true) && isPolled(item) && isNothingThere(why);
}
