import type { Fetched, LeaseLife, Life } from '../backend/backend.ts';
import type { Clock } from '../base/clock.ts';
import { type Failure, failure } from '../base/errors.ts';
import type { Emit } from '../base/fact.ts';
import { absentEntry, freshEntry, heldValue, type Item, markEntry } from './item.ts';
import { stoppedExtending } from './schedule.ts';

/** What an attempt brought: the first value, another one, or nothing new. */
export type SecretEvent = 'first' | 'changed' | 'settled';

/** Why a value is past its time. */
export type WhyExpired = 'validity' | 'login' | 'maxStale';

const PAST: Readonly<Record<WhyExpired, string>> = {
  validity: 'the value is past its validity',
  login: 'the login that the lease was made under has ended',
  maxStale: 'the value is older than maxStale',
};

/**
 * Writes what an item holds (its value, life and state) and tells it. When to do so is the lease manager's business.
 */
export class ItemWriter {
  readonly #clock: Clock;
  readonly #emit: Emit;
  readonly #nextNumber: () => number;
  readonly #hasEnded: (item: Item) => boolean;

  /**
   * @param nextNumber begins the next snapshot and gives its number.
   * @param hasEnded whether the value that the item holds is past its validity.
   */
  constructor(clock: Clock, emit: Emit, nextNumber: () => number, hasEnded: (item: Item) => boolean) {
    this.#clock = clock;
    this.#emit = emit;
    this.#nextNumber = nextNumber;
    this.#hasEnded = hasEnded;
  }

  /** Asks the source and keeps the answer. @throws what the source throws. */
  async fetch(item: Item, signal: AbortSignal): Promise<SecretEvent> {
    const last = heldValue(item);
    const answer = await item.backend.source.fetch(item.want, last, signal);
    if (answer.state === 'unchanged') {
      if (last === undefined) throw new TypeError('unchanged without a value');
      this.#freshen(item, { ...last, life: answer.life }, false);
      if (answer.life.kind === 'lease') item.sameLease++;
      this.#emit({ kind: 'secret-unchanged', secrets: [...item.names] });
      return 'settled';
    }
    this.#freshen(item, answer.value, true);
    item.sameLease = 0;
    const lifeMs = lengthMs(answer.value.life);
    this.#emit({
      kind: 'secret-changed',
      secrets: [...item.names],
      life: answer.value.life.kind,
      ...(lifeMs === undefined ? {} : { lifeMs }),
      first: last === undefined,
    });
    return last === undefined ? 'first' : 'changed';
  }

  /**
   * Renews and keeps the new life. True when the lease does not grow any more: a new one must be fetched while the old
   * one lives.
   */
  async renew(item: Item, life: LeaseLife, signal: AbortSignal): Promise<boolean> {
    const renewed = await item.backend.source.renew?.(item.want, life, signal);
    const value = heldValue(item);
    if (renewed === undefined || value === undefined) return true;
    // From then on only a new lease helps: should fetching it fail, it is the fetch that is tried again.
    const isLast = stoppedExtending(life, renewed);
    this.#freshen(item, { ...value, life: isLast ? { ...renewed, renewable: false } : renewed }, false);
    this.#emit({ kind: 'secret-renewed', secrets: [...item.names], ttlMs: renewed.ttlMs });
    return isLast;
  }

  /** The value stays and is stale from now on; without one the secret is absent. */
  trouble(item: Item, why: Failure): void {
    const { entry } = item;
    if (entry === undefined || entry.state === 'absent') {
      const isSame = entry?.why.code === why.code;
      item.entry = absentEntry(why, item.want.optional, isSame ? entry.stateNumber : this.#nextNumber());
    } else if (entry.state === 'fresh') {
      this.#emitState(item, 'stale', why);
      item.entry = markEntry(entry, 'stale', why, this.#nextNumber());
    } else {
      const isSame = entry.why?.code === why.code;
      item.entry = markEntry(entry, entry.state, why, isSame ? entry.stateNumber : this.#nextNumber());
    }
  }

  /**
   * The backend answered that nothing is there, where nothing need be: the secret is absent. A value that it had stays
   * and is stale, but for a secret that goes with its value. Says whether the last attempt told the same.
   */
  notThere(item: Item, why: Failure): { readonly what: SecretEvent; readonly again: boolean } {
    const { entry, want } = item;
    const again = entry !== undefined && entry.state !== 'fresh' && entry.why?.code === why.code;
    const goes = entry !== undefined && entry.state !== 'absent' && want.absentWhenGone === true;
    if (goes) item.entry = absentEntry(why, want.optional, this.#nextNumber());
    else this.trouble(item, why);
    return { what: goes ? 'changed' : 'settled', again };
  }

  /** The value stays and is past its time. */
  expire(item: Item, why: WhyExpired): void {
    const { entry, want } = item;
    if (entry === undefined || entry.state === 'absent') return;
    const reason = entry.why ?? failure('SECRET_EXPIRED', want.place, PAST[why]);
    item.entry = markEntry(entry, 'expired', reason, this.#nextNumber());
    this.#emitState(item, 'expired', reason);
  }

  /** The same value with another life. */
  setLife(item: Item, life: Life): void {
    const { entry } = item;
    if (entry === undefined || entry.state === 'absent') return;
    const value: Fetched = Object.freeze({ ...entry.value, life });
    item.entry = Object.freeze({ ...entry, value });
  }

  /** Who knew an item by its numbers takes it for another value. */
  renumber(item: Item): void {
    const { entry } = item;
    if (entry === undefined) return;
    const number = this.#nextNumber();
    const stateNumber = entry.state === 'fresh' || entry.state === 'absent' ? number : this.#nextNumber();
    item.entry = Object.freeze(
      entry.state === 'absent' ? { ...entry, stateNumber } : { ...entry, valueNumber: number, stateNumber },
    );
  }

  #freshen(item: Item, value: Fetched, isOther: boolean): void {
    const { entry } = item;
    const before = entry?.state;
    const since = entry === undefined || entry.state === 'absent' || isOther ? undefined : entry;
    if (since?.state === 'expired') {
      item.entry = Object.freeze({ ...since, value: Object.freeze(value), fetchedWallMs: this.#clock.wallMs() });
      if (this.#hasEnded(item)) return; // what has ended does not become fresh by being read once more
    }
    const stateNumber = since?.state === 'fresh' ? since.stateNumber : this.#nextNumber();
    item.entry = freshEntry(value, this.#clock.wallMs(), stateNumber, since);
    if (before !== 'stale' && before !== 'expired') return;
    this.#emit({ kind: 'secret-state', secrets: [...item.names], state: 'fresh' });
  }

  #emitState(item: Item, state: 'stale' | 'expired', why: Failure): void {
    const gone = why.code === 'SECRET_NOT_FOUND' || why.code === 'SECRET_DELETED' || why.code === 'SECRET_DESTROYED';
    this.#emit({ kind: 'secret-state', secrets: [...item.names], state, reason: gone ? 'deleted' : why.code });
  }
}

function lengthMs(life: Life): number | undefined {
  if (life.kind === 'lease') return life.ttlMs;
  if (life.kind === 'rotates') return life.inMs;
  if (life.kind === 'ends') return Math.max(0, life.endMs - life.startMs);
  return life.kind === 'certificate' ? life.notAfterMs - life.notBeforeMs : undefined;
}
