import type { Failure } from '../base/errors.ts';

/** The feed by which a backend tells of changes, as it is at one moment. */
export interface FeedView {
  readonly isUp: boolean;
  /** When it became so, on the wall clock. */
  readonly sinceWallMs: number;
  /** How often it has told that a secret may have changed. */
  readonly events: number;
  /** When it did so last, on the wall clock; absent: never. */
  readonly lastEventWallMs?: number;
  /** Why it is not up. */
  readonly failure?: Failure;
}
