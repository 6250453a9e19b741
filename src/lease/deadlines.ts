import type { Clock } from '../base/clock.ts';
import { DeadlineQueue } from './deadline-queue.ts';
import { type Item, lifeOf } from './item.ts';
import type { WhyExpired } from './item-writer.ts';
import { decide, endsMonoMs } from './schedule.ts';

export interface DeadlineOptions {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly polls: boolean;
}

/** What deadlines lead to; the lease manager does it. */
export interface DeadlineActions {
  /** The next attempt is due. */
  attempt(item: Item, doing: 'fetch' | 'renew'): void;
  /** The value is past its validity or the end of its login, or older than its maxStale. */
  expire(item: Item, why: WhyExpired): void;
  /** An attempt has run for a second (and again each second) without an answer. */
  overdue(item: Item): void;
  clockJumped(byMs: number): void;
}

/** Ends of lease and login that are this near are one: servers answer in whole seconds. */
const WITH_LOGIN_MS = 2_000;

/** An attempt that has no answer after this long is checked for a login in trouble, and then each time again. */
const OVERDUE_MS = 1_000;

/** After a clock jump, what is overdue is spread over this long. */
const AFTER_JUMP_SPREAD_MS = 5_000;

/** Polls wait for each other this long at most, and no longer than this part of their interval. */
const TOGETHER_MS = 250;
const TOGETHER_PART = 20;

/**
 * Polls that are due at nearly the same moment are due at the same moment: one wake-up for all of them. Agents count
 * from their own start, so those of a fleet do not come together by it.
 */
function withOthers(atMonoMs: number, refreshMs: number): number {
  const step = Math.min(TOGETHER_MS, refreshMs / TOGETHER_PART);
  return Math.ceil(atMonoMs / step) * step;
}

/** The three deadlines that an item can have, all in one wheel: its next attempt, its expiry, its attempt's overdue. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #polls: boolean;
  readonly #actions: DeadlineActions;
  readonly #queue: DeadlineQueue;

  /** @param polls false: nothing is asked for again only because its `refresh` is over. */
  constructor({ clock, random, polls }: DeadlineOptions, actions: DeadlineActions) {
    this.#clock = clock;
    this.#random = random;
    this.#polls = polls;
    this.#actions = actions;
    this.#queue = new DeadlineQueue(clock, (byMs) => actions.clockJumped(byMs));
  }

  /**
   * Sets the next attempt as `schedule.ts` decides; answers in how many milliseconds it is due, which is infinite when
   * none is.
   * @param fetchInstead a renewal is out of the question: the next attempt is a fetch.
   */
  planNext(item: Item, retryAfterMs?: number, fetchInstead = false): number {
    item.cancelNext();
    const now = this.#now();
    const { entry, failures, polledBefore, sameLease } = item;
    const refreshMs = this.#polls ? item.want.refreshMs : Number.POSITIVE_INFINITY;
    const fetchedWallMs = entry === undefined || entry.state === 'absent' ? now.wallMs : entry.fetchedWallMs;
    const life = lifeOf(item) ?? { kind: 'none' };
    const situation = { life, fetchedWallMs, failures, retryAfterMs, sameLease, firstPoll: !polledBefore };
    const next = decide(situation, { refreshMs }, now, this.#random);
    if (next.do === 'poll' && failures === 0) item.polledBefore = true;
    const doing = next.do === 'renew' && !fetchInstead ? 'renew' : 'fetch';
    const isPoll = next.do === 'poll' && failures === 0;
    const atMonoMs = isPoll ? withOthers(next.atMonoMs, refreshMs) : next.atMonoMs;
    item.nextMonoMs = Number.isFinite(atMonoMs) ? atMonoMs : undefined;
    if (item.nextMonoMs === undefined) return Number.POSITIVE_INFINITY;
    item.cancelNext = this.#queue.at(atMonoMs, () => this.#due(item, doing));
    return Math.round(atMonoMs - now.monoMs);
  }

  /**
   * After an attempt out of turn the next one stays due when it was, so that secrets pulled together keep their spread;
   * sooner when the new value is to be looked at sooner.
   */
  keepNext(item: Item, atMonoMs: number): void {
    const isSooner = lifeOf(item)?.kind !== 'none' && (item.nextMonoMs ?? Number.POSITIVE_INFINITY) < atMonoMs;
    if (isSooner) return;
    item.cancelNext();
    item.nextMonoMs = atMonoMs;
    item.cancelNext = this.#queue.at(atMonoMs, () => this.#actions.attempt(item, 'fetch'));
  }

  /**
   * Whether the lease lasts as long as its login: the token caps it (batch tokens do). What is fetched under that login
   * ends no later, so a fetch is of use only under the next one.
   */
  endsWithLogin(item: Item): boolean {
    const life = lifeOf(item);
    return life?.kind === 'lease' && life.startedMonoMs + life.ttlMs >= loginEndsMonoMs(item) - WITH_LOGIN_MS;
  }

  #due(item: Item, doing: 'fetch' | 'renew'): void {
    const loginEndsMs = loginEndsMonoMs(item);
    if (doing === 'renew' || !this.endsWithLogin(item) || loginEndsMs <= this.#clock.monoMs()) {
      this.#actions.attempt(item, doing);
      return;
    }
    item.nextMonoMs = loginEndsMs;
    item.cancelNext = this.#queue.at(loginEndsMs, () => this.#actions.attempt(item, 'fetch'));
  }

  /** Plans anew within the next seconds, spread so that not everything is due at once. */
  planNextSpread(item: Item): void {
    item.cancelNext();
    const atMonoMs = this.#clock.monoMs() + this.#random() * AFTER_JUMP_SPREAD_MS;
    item.cancelNext = this.#queue.at(atMonoMs, () => this.planNext(item));
  }

  /**
   * When a value stops being valid: the end of its lease, login or certificate; a stale one also at its maxStale. The
   * end may have moved by then (a login that was renewed), so it is looked at again before anything is told.
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

  /** Whether the value is past its validity now. What a static role gives is right until a read says otherwise. */
  hasEnded(item: Item): boolean {
    return lifeOf(item)?.kind !== 'rotates' && this.endsMonoMs(item) <= this.#clock.monoMs();
  }

  #expiryOf(item: Item): { readonly atMonoMs: number; readonly why: WhyExpired } {
    const { entry } = item;
    const never = { atMonoMs: Number.POSITIVE_INFINITY, why: 'validity' } as const;
    if (entry === undefined || entry.state === 'absent' || entry.state === 'expired') return never;
    const now = this.#now();
    if (entry.state === 'fresh') {
      // The server may rotate late, and a read is due right after the announced moment: that one tells.
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

  /** When the value stops being valid by its lease, its login or its certificate; infinite when nothing ends it. */
  endsMonoMs(item: Item): number {
    const life = lifeOf(item);
    return life === undefined ? Number.POSITIVE_INFINITY : endsMonoMs(life, loginEndsMonoMs(item), this.#now());
  }

  /** Watches over the attempt that runs. */
  planOverdue(item: Item): void {
    item.cancelOverdue();
    item.cancelOverdue = this.#queue.at(this.#clock.monoMs() + OVERDUE_MS, () => {
      if (item.running === undefined) return;
      this.#actions.overdue(item);
      this.planOverdue(item);
    });
  }

  /** By how much the next deadline is past. */
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

function loginEndsMonoMs(item: Item): number {
  const life = lifeOf(item);
  if (life?.kind !== 'lease') return Number.POSITIVE_INFINITY;
  return item.backend.loginEndsMonoMs?.(life.loginId) ?? Number.POSITIVE_INFINITY;
}
