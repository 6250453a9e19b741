import type { Backend, Fetched, Life, Want } from '../backend/backend.ts';
import type { Failure } from '../base/errors.ts';
import type { HeldValue, SecretEntry } from './snapshot.ts';

/**
 * What an attempt was made for: the secret itself (`turn`: its schedule, its backend or a refresh), or the change of
 * another secret of the same output (`pull`).
 */
export type Occasion = 'turn' | 'pull';

/**
 * All that is known of one want. Code outside of `lease/` gets its `entry`, a frozen view. The writers of an item are
 * `ItemWriter` (`entry`, `sameLease`, `replaced`), `Deadlines` (the deadlines, `pollPhaseMonoMs`, `renewedBefore`),
 * `Attempts` (the fields about attempts), `Watches` (`coveredPollMs`), both of them (`mustCatchUp`) and `LeaseManager`
 * (the rest).
 *
 * An item is in one of three states:
 * - running: an attempt (a fetch or a renewal) runs. `running` is set, and never more than one attempt runs.
 * - idle: no attempt runs, and a deadline says when the next one does; without a deadline none is due.
 * - gone: no configuration names the item any more, or its backend was opened anew. `isGone` is set for good, its
 *   deadlines are cancelled, and an attempt that still runs is aborted.
 */
export interface Item {
  want: Want;
  readonly backend: Backend;
  /** All names of this want, those of computed secrets included. */
  names: ReadonlySet<string>;
  /** Undefined until the first attempt has ended or the backend was found in trouble. */
  entry: SecretEntry | undefined;
  /** Failed attempts in a row. */
  failures: number;
  /** When the value before this one was replaced, and when it ends or ended; undefined: there was none. */
  replaced: { readonly atMonoMs: number; readonly endsMonoMs: number } | undefined;
  /** How many fetches in a row brought the lease that is held already. */
  sameLease: number;
  /** When the first poll was planned, anywhere in the interval; undefined until then. */
  pollPhaseMonoMs: number | undefined;
  /** How often it is polled while its backend tells of each change; undefined: changes may go untold. */
  coveredPollMs: number | undefined;
  /** Whether a fetch is owed since its backend began to tell of changes: what changed before was told to nobody. */
  mustCatchUp: boolean;
  /** False until the first renewal is planned, which may come early, see `Backend.spreadsFirst`. */
  renewedBefore: boolean;
  /** The attempt that runs; resolves when it has ended, and never rejects. */
  running: Promise<void> | undefined;
  /** When the attempt that runs began, or the last one; 0 before the first. */
  startedMonoMs: number;
  /** What the fetch is for that must follow the running attempt, whose answer may be too old; undefined: none. */
  followUp: Occasion | undefined;
  /** What the attempt that runs, or ran last, was made for. */
  occasion: Occasion;
  /** How many fetches have begun so far. */
  fetchesBegun: number;
  /** How many fetches had begun when the last one ended. */
  fetchesEnded: number;
  /** From when on a change of another secret may pull this one forward; infinite: not before its own next attempt. */
  pullableFromMonoMs: number;
  /** Aborts the attempt that runs. Exists only meanwhile, since it takes as much memory as the rest of the item. */
  abort: AbortController | undefined;
  /** See the states above. */
  isGone: boolean;
  /** Whether the backend has answered a fetch, with a value or with a refusal. */
  isAnswered: boolean;
  /** Whether listeners were notified of this item at least once. */
  wasNotified: boolean;
  /** When the next attempt is due; undefined when none is. Meaningless while an attempt runs. */
  nextMonoMs: number | undefined;
  /** What the next attempt is. */
  nextDoing: 'fetch' | 'renew';
  /** When an attempt was last brought forward since the backend answers again. */
  broughtForwardMonoMs: number;
  cancelNext: () => void;
  cancelExpiry: () => void;
  cancelOverdue: () => void;
}

const nothing = () => {};

export function createItem(want: Want, backend: Backend, names: ReadonlySet<string>): Item {
  return {
    want,
    backend,
    names,
    entry: undefined,
    failures: 0,
    replaced: undefined,
    sameLease: 0,
    pollPhaseMonoMs: undefined,
    coveredPollMs: undefined,
    mustCatchUp: false,
    renewedBefore: false,
    running: undefined,
    startedMonoMs: 0,
    followUp: undefined,
    occasion: 'turn',
    fetchesBegun: 0,
    fetchesEnded: 0,
    pullableFromMonoMs: Number.NEGATIVE_INFINITY,
    abort: undefined,
    isGone: false,
    isAnswered: false,
    wasNotified: false,
    nextMonoMs: undefined,
    nextDoing: 'fetch',
    broughtForwardMonoMs: Number.NEGATIVE_INFINITY,
    cancelNext: nothing,
    cancelExpiry: nothing,
    cancelOverdue: nothing,
  };
}

/** The value an item holds, whatever its state. */
export function heldValue(item: Item): Fetched | undefined {
  return item.entry === undefined || item.entry.state === 'absent' ? undefined : item.entry.value;
}

/** The life of the value that an item holds; undefined without a value. */
export function lifeOf(item: Item): Life | undefined {
  return heldValue(item)?.life;
}

/** Whether the secret may be fetched again at any time, since that mints nothing and costs one read. */
export function isPolled(item: Item): boolean {
  const life = lifeOf(item);
  switch (life?.kind) {
    case 'none':
    case 'ends':
      return life.mints !== true;
    case 'rotates':
      return true;
    case 'certificate':
      return life.stored === true;
    default:
      return life === undefined;
  }
}

/**
 * @param since the earlier entry with this value, whose numbers stay; absent when the value is another one.
 * @param earlier the value that this one replaces; absent when there was none.
 */
export function freshEntry(
  value: Fetched,
  fetchedWallMs: number,
  stateNumber: number,
  since?: HeldValue,
  earlier?: HeldValue['earlier'],
): SecretEntry {
  const { valueNumber = stateNumber, changedWallMs = fetchedWallMs } = since ?? {};
  Object.freeze(value);
  const entry = { state: 'fresh', value, fetchedWallMs, changedWallMs, valueNumber, stateNumber } as const;
  return Object.freeze(earlier === undefined ? entry : { ...entry, earlier });
}

export function absentEntry(why: Failure, optional: boolean, stateNumber: number): SecretEntry {
  return Object.freeze({ state: 'absent', why, optional, stateNumber });
}

/** The same value with another state. */
export function markEntry(
  entry: HeldValue,
  state: 'stale' | 'expired',
  why: Failure,
  stateNumber: number,
): SecretEntry {
  return Object.freeze({ ...entry, state, why, stateNumber });
}
