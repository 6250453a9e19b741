import { isOutage } from '../backend/outage.ts';
import { isFollowed } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { DeadlineQueue } from './deadline-queue.ts';
import { type Item, lifeOf } from './item.ts';
import type { WhyExpired } from './item-writer.ts';
import { decide, endsMonoMs, triedWithinMs } from './schedule.ts';

export interface DeadlineOptions {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** False: an item is not fetched again only because its `refresh` is over. */
  readonly polls: boolean;
}

/** What to do when a deadline has come. */
export interface DeadlineActions {
  /** The next attempt is due. */
  attempt(item: Item, doing: 'fetch' | 'renew'): void;
  /** The value is past its validity or the end of its login, or older than its maxStale. */
  expire(item: Item, why: WhyExpired): void;
  /** An attempt has run for a second (and again each second) without an answer. */
  overdue(item: Item): void;
  /** Wall clock and monotonic clock moved apart by this much. */
  clockJumped(byMs: number): void;
}

/** A lease that ends this close to its login ends with it: servers answer in whole seconds. */
const LOGIN_END_TOLERANCE_MS = 2_000;

/** An attempt without an answer is overdue after this long, and again each time this long has passed. */
const OVERDUE_MS = 1_000;

/** After a clock jump, the idle items are planned anew at moments that are spread over this long. */
const AFTER_JUMP_SPREAD_MS = 5_000;

/** A poll is put off by at most this long, and by at most this part (one twentieth) of its interval. */
const MAX_POLL_DELAY_MS = 5_000;
const POLL_DELAY_DIVISOR = 20;

/** The latest poll, as a part of the interval: the jitter of schedule.ts goes as far. */
const LATEST_POLL = 1.1;

/**
 * Rounds the moment of a poll up, so that polls that are due at nearly the same moment share one wake-up; down where
 * the poll would come later than its jitter allows. The monotonic clock of each agent is its own, so this does not
 * bring the polls of a fleet together.
 */
function roundedPollMonoMs(atMonoMs: number, refreshMs: number, nowMonoMs: number): number {
  const step = Math.min(MAX_POLL_DELAY_MS, refreshMs / POLL_DELAY_DIVISOR);
  const rounded = Math.ceil(atMonoMs / step) * step;
  return rounded > nowMonoMs + LATEST_POLL * refreshMs ? rounded - step : rounded;
}

/**
 * The three deadlines that an item can have, all in one queue:
 *
 * - `next`: when its next attempt is due; never set while an attempt runs.
 * - `expiry`: when its value stops being valid; set while it holds a fresh or stale value that can end.
 * - `overdue`: when its running attempt is to be looked at; set while an attempt runs.
 *
 * Each `plan…` method replaces the item's earlier deadline of that kind, so an item has at most one of each kind. The
 * item's `cancelNext`, `cancelExpiry` and `cancelOverdue` cancel them, and do nothing where there is none.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #polls: boolean;
  readonly #actions: DeadlineActions;
  readonly #queue: DeadlineQueue;

  constructor({ clock, random, polls }: DeadlineOptions, actions: DeadlineActions) {
    this.#clock = clock;
    this.#random = random;
    this.#polls = polls;
    this.#actions = actions;
    this.#queue = new DeadlineQueue(clock, (byMs) => actions.clockJumped(byMs));
  }

  /**
   * Sets the next attempt as `schedule.ts` decides. Returns in how many milliseconds it is due; infinite when none is.
   * @param fetchInstead the next attempt is a fetch, even where `schedule.ts` decides on a renewal.
   */
  planNext(item: Item, retryAfterMs?: number, fetchInstead = false): number {
    item.cancelNext();
    const now = this.#now();
    const { entry, failures, pollPhaseMonoMs, sameLease } = item;
    const refreshMs = this.#polls ? refreshMsOf(item) : Number.POSITIVE_INFINITY;
    const fetchedWallMs = entry === undefined || entry.state === 'absent' ? now.wallMs : entry.fetchedWallMs;
    const life = lifeOf(item) ?? { kind: 'none' };
    const { renewal } = item.want.request.upkeep ?? {};
    const firstRenewal = item.backend.spreadsFirst === true && !item.renewedBefore;
    const schedule = { life, fetchedWallMs, failures, retryAfterMs, sameLease, renewal, pollPhaseMonoMs, firstRenewal };
    const input = failures === 0 ? schedule : { ...schedule, ...this.#afterFailure(item), fetchInstead };
    const next = decide(input, { refreshMs }, now, this.#random);
    if (life.kind === 'lease' && !(next.do === 'poll' && failures === 0)) item.renewedBefore = true;
    const doing = next.do === 'renew' && !fetchInstead ? 'renew' : 'fetch';
    const isPoll = next.do === 'poll' && failures === 0 && Number.isFinite(next.atMonoMs);
    if (isPoll) item.pollPhaseMonoMs ??= next.atMonoMs;
    const plannedMonoMs = isPoll ? roundedPollMonoMs(next.atMonoMs, refreshMs, now.monoMs) : next.atMonoMs;
    const owesMs = failures === 0 && item.mustCatchUp && this.#polls ? this.#random() * catchUpMs(item) : undefined;
    const atMonoMs = owesMs === undefined ? plannedMonoMs : Math.min(plannedMonoMs, now.monoMs + owesMs);
    item.nextMonoMs = Number.isFinite(atMonoMs) ? atMonoMs : undefined;
    if (item.nextMonoMs === undefined) return Number.POSITIVE_INFINITY;
    item.nextDoing = doing;
    item.cancelNext = this.#queue.at(atMonoMs, () => this.#due(item, doing));
    return Math.round(atMonoMs - now.monoMs);
  }

  /**
   * Brings the next attempt forward when the last one failed in an outage of the backend, which is over now. Once per
   * `refresh` at most: a backend that comes and goes is then asked for at most twice as often as one that is well. What
   * the backend or the configuration has put off keeps its moment.
   */
  bringForward(item: Item, outageMs: number): void {
    const { entry, nextMonoMs, nextDoing: doing, want, failures } = item;
    const now = this.#clock.monoMs();
    const why = entry?.state === 'fresh' ? undefined : entry?.why;
    if (failures === 0 || nextMonoMs === undefined || why === undefined || !isOutage(why)) return;
    if (isFollowed(why.retryAfterMs) || want.request.upkeep?.renewal !== undefined) return;
    const withinMs = triedWithinMs(outageMs, want.refreshMs);
    if (nextMonoMs <= now + withinMs || now < item.broughtForwardMonoMs + want.refreshMs) return;
    item.broughtForwardMonoMs = now;
    item.cancelNext();
    item.nextMonoMs = now + withinMs * this.#random();
    item.cancelNext = this.#queue.at(item.nextMonoMs, () => this.#due(item, doing));
  }

  /**
   * Whether the item's lease lasts as long as its login: the token caps the lease (batch tokens do). A new lease under
   * the same login would end at that moment too, so a fetch helps only under the next login.
   */
  endsWithLogin(item: Item): boolean {
    const life = lifeOf(item);
    return life?.kind === 'lease' && life.startedMonoMs + life.ttlMs >= loginEndsMonoMs(item) - LOGIN_END_TOLERANCE_MS;
  }

  /** What the time of the next attempt depends on after a failure. */
  #afterFailure(item: Item): { readonly isOutage: boolean; readonly restMs?: number } {
    const { entry } = item;
    if (entry === undefined || entry.state === 'absent') return { isOutage: false };
    const { maxStaleMs = Number.POSITIVE_INFINITY } = item.want;
    const { wallMs, monoMs } = this.#now();
    const restMs = Math.min(this.endsMonoMs(item) - monoMs, entry.fetchedWallMs + maxStaleMs - wallMs);
    return { isOutage: entry.why !== undefined && isOutage(entry.why), restMs };
  }

  /** Begins the attempt; a fetch that would help only under the next login is put off until this login has ended. */
  #due(item: Item, doing: 'fetch' | 'renew'): void {
    const loginEndsMs = loginEndsMonoMs(item);
    if (doing === 'renew' || !this.endsWithLogin(item) || loginEndsMs <= this.#clock.monoMs()) {
      this.#actions.attempt(item, doing);
      return;
    }
    item.nextMonoMs = loginEndsMs;
    item.cancelNext = this.#queue.at(loginEndsMs, () => this.#actions.attempt(item, 'fetch'));
  }

  /** Plans the next attempt anew at a random moment within the next seconds, so that not all items are due at once. */
  planNextSpread(item: Item): void {
    item.cancelNext();
    const atMonoMs = this.#clock.monoMs() + this.#random() * AFTER_JUMP_SPREAD_MS;
    item.cancelNext = this.#queue.at(atMonoMs, () => this.planNext(item));
  }

  /**
   * Sets the moment at which the value stops being valid: the end of its lease, login or certificate; for a stale value
   * its `maxStale` too. The end may have moved by then (the login was renewed), so it is computed again before
   * `expire` is called.
   */
  planExpiry(item: Item): void {
    item.cancelExpiry();
    const { monoMs } = this.#now();
    const { atMonoMs, why } = this.#expiryOf(item);
    if (atMonoMs === Number.POSITIVE_INFINITY) return;
    item.cancelExpiry = this.#queue.at(Math.max(monoMs, atMonoMs), () => {
      if (this.#expiryOf(item).atMonoMs > this.#clock.monoMs()) this.planExpiry(item);
      else this.#actions.expire(item, why);
    });
  }

  /** Whether the value is past its validity now. The password of a static role is valid until a read brings another. */
  hasEnded(item: Item): boolean {
    return lifeOf(item)?.kind !== 'rotates' && this.endsMonoMs(item) <= this.#clock.monoMs();
  }

  #expiryOf(item: Item): { readonly atMonoMs: number; readonly why: WhyExpired } {
    const { entry } = item;
    const never = { atMonoMs: Number.POSITIVE_INFINITY, why: 'validity' } as const;
    if (entry === undefined || entry.state === 'absent' || entry.state === 'expired') return never;
    const now = this.#now();
    if (entry.state === 'fresh') {
      // The server may rotate late. A read is due right after the announced moment, and says whether it has rotated.
      if (entry.value.life.kind === 'rotates') return never;
      return { atMonoMs: this.endsMonoMs(item), why: this.#whyEnds(item) };
    }
    const validMs = this.endsMonoMs(item);
    const { maxStaleMs = Number.POSITIVE_INFINITY } = item.want;
    const tooOldMs = now.monoMs + entry.fetchedWallMs + maxStaleMs - now.wallMs;
    if (validMs <= tooOldMs) return { atMonoMs: validMs, why: this.#whyEnds(item) };
    return { atMonoMs: tooOldMs, why: 'maxStale' };
  }

  #whyEnds(item: Item): WhyExpired {
    const life = lifeOf(item);
    return life?.kind === 'lease' && loginEndsMonoMs(item) < life.startedMonoMs + life.ttlMs ? 'login' : 'validity';
  }

  /** When the value stops being valid by its lease, login, certificate or own end; infinite when nothing ends it. */
  endsMonoMs(item: Item): number {
    const life = lifeOf(item);
    return life === undefined ? Number.POSITIVE_INFINITY : endsMonoMs(life, loginEndsMonoMs(item), this.#now());
  }

  /** Sets when the running attempt is overdue, for the first time and then again and again until it has ended. */
  planOverdue(item: Item): void {
    item.cancelOverdue();
    item.cancelOverdue = this.#queue.at(this.#clock.monoMs() + OVERDUE_MS, () => {
      if (item.running === undefined) return;
      this.#actions.overdue(item);
      this.planOverdue(item);
    });
  }

  /** By how much the next deadline is past; 0 when none is. */
  lateMs(): number {
    return this.#queue.lateMs();
  }

  /** Forgets every deadline of every item. */
  clear(): void {
    this.#queue.clear();
  }

  #now() {
    return { wallMs: this.#clock.wallMs(), monoMs: this.#clock.monoMs() };
  }
}

/** A fetch that is owed comes at a random moment in this time: a fleet gets its feed back in one instant. */
const CATCH_UP_MS = 30_000;

const catchUpMs = ({ want }: Item): number => Math.min(want.refreshMs, CATCH_UP_MS);

/** A value that is polled rarely is never so old that little of its `maxStale` is left when a poll fails. */
const MAX_STALE_SHARE = 1 / 4;

/** How often an item is polled. What fails is tried for as often as without a feed. */
function refreshMsOf({ want, failures, coveredPollMs = 0 }: Item): number {
  const { refreshMs, maxStaleMs = Number.POSITIVE_INFINITY } = want;
  return failures === 0 ? Math.max(refreshMs, Math.min(coveredPollMs, maxStaleMs * MAX_STALE_SHARE)) : refreshMs;
}

function loginEndsMonoMs(item: Item): number {
  const life = lifeOf(item);
  if (life?.kind !== 'lease') return Number.POSITIVE_INFINITY;
  return item.backend.loginEndsMonoMs?.(life.loginId) ?? Number.POSITIVE_INFINITY;
}
