import type { Fetched, Want } from '../backend/backend.ts';
import type { Clock } from '../base/clock.ts';
import type { Failure } from '../base/errors.ts';
import type { Item } from './item.ts';
import type { ItemWriter, SecretEvent } from './item-writer.ts';

/** What an earlier process knew of a want. Its times are on the clocks of this process. */
export interface EarlierValue {
  readonly value: Fetched;
  /** When it was last known good, on the wall clock. */
  readonly fetchedWallMs: number;
}

/** Finds what an earlier process knew of a want, while that may be used. */
export type FindEarlier = (want: Want) => EarlierValue | undefined;

/** What taking up an earlier value needs of the lease manager. */
export interface EarlierContext {
  readonly clock: Clock;
  readonly writer: ItemWriter;
  /** The value stays, and is stale. */
  markTrouble(item: Item, why: Failure): void;
  notify(item: Item, event: SecretEvent): void;
}

/** A value that was taken up instead of a fetch. */
export interface TakenUp {
  readonly event: SecretEvent;
  /** Why it is not known whether the value is still good; absent: it is good. */
  readonly failed?: Failure | undefined;
}

/** What is done with the values of an earlier process at the first attempt for each want. */
export interface EarlierValues {
  /**
   * Takes up a value whose fetch would mint another one, when it is still good. Undefined: it must be fetched. Never
   * rejects.
   */
  takeUp(item: Item, context: EarlierContext, signal: AbortSignal): Promise<TakenUp | undefined>;
  /** Has the value served when the fetch that begins now fails for an outage, or has no answer soon. */
  standBy(item: Item, context: EarlierContext): StandBy;
}

export interface StandBy extends Disposable {
  /** To be called when the fetch has failed: serves the value if that was an outage. Undefined: nothing was served. */
  failed(why: Failure): SecretEvent | undefined;
}
