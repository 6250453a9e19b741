import type { Backend, Fetched, Life, Want } from '../backend/backend.ts';
import type { Failure } from '../base/errors.ts';
import type { HeldValue, SecretEntry } from './snapshot.ts';

/** Why an attempt is made: the secret's own schedule, backend or reader asked for it, or another secret's change. */
export type Occasion = 'turn' | 'pull';

/**
 * All that is known of one want. Only the lease manager writes it; `entry` is the frozen view that others get.
 *
 * States of an item: `idle` (a deadline in the wheel says what comes next), `fetching` or `renewing` (an attempt
 * runs; there is never more than one), `gone` (no configuration names it any more; what still runs is aborted).
 */
export interface Item {
  want: Want;
  readonly backend: Backend;
  /** All configured names of this want. */
  names: ReadonlySet<string>;
  entry: SecretEntry | undefined;
  /** Failures in a row. */
  failures: number;
  /** How many fetches in a row brought the lease that is held already. */
  sameLease: number;
  /** False until the first poll was planned: that one spreads over the whole interval. */
  polledBefore: boolean;
  running: Promise<void> | undefined;
  /** When the attempt that runs began; of no meaning while none does. */
  startedMonoMs: number;
  /** An attempt was asked for while one ran whose answer may be older than the reason to ask. */
  again: Occasion | undefined;
  /** Of the attempt that runs, or ran last. */
  occasion: Occasion;
  /** Fetches so far: those that have begun, and the number of the last one that ended. */
  fetchesBegun: number;
  fetchesEnded: number;
  /** From when on a change of another secret may pull this one forward. */
  pullableFromMonoMs: number;
  /** Ends what the attempt that runs has begun; only there while one runs, since it weighs as much as all the rest. */
  abort: AbortController | undefined;
  isGone: boolean;
  /** Subscribers have heard of it. */
  isTold: boolean;
  /** When the next attempt is due; of no meaning while one runs. */
  nextMonoMs: number | undefined;
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
    sameLease: 0,
    polledBefore: false,
    running: undefined,
    startedMonoMs: 0,
    again: undefined,
    occasion: 'turn',
    fetchesBegun: 0,
    fetchesEnded: 0,
    pullableFromMonoMs: Number.NEGATIVE_INFINITY,
    abort: undefined,
    isGone: false,
    isTold: false,
    nextMonoMs: undefined,
    cancelNext: nothing,
    cancelExpiry: nothing,
    cancelOverdue: nothing,
  };
}

/** The value an item holds, whatever its state. */
export function heldValue(item: Item): Fetched | undefined {
  return item.entry === undefined || item.entry.state === 'absent' ? undefined : item.entry.value;
}

export function lifeOf(item: Item): Life | undefined {
  return heldValue(item)?.life;
}

/** Polled secrets may be asked again at any time: it mints nothing and costs one read. */
export function isPolled(item: Item): boolean {
  const life = lifeOf(item);
  switch (life?.kind) {
    case 'none':
    case 'ends':
      return life.mints !== true;
    case 'rotates':
      return true;
    default:
      return life === undefined;
  }
}

/** @param since the entry whose value it still is; absent: it is another one. */
export function freshEntry(value: Fetched, fetchedWallMs: number, stateNumber: number, since?: HeldValue): SecretEntry {
  const { valueNumber = stateNumber, changedWallMs = fetchedWallMs } = since ?? {};
  Object.freeze(value);
  return Object.freeze({ state: 'fresh', value, fetchedWallMs, changedWallMs, valueNumber, stateNumber });
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
  const { value, fetchedWallMs, changedWallMs, valueNumber } = entry;
  return Object.freeze({ state, value, fetchedWallMs, why, changedWallMs, valueNumber, stateNumber });
}
