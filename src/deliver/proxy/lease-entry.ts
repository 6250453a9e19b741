import type { CachedAnswer } from './cached-answer.ts';
import type { LeasedValue, LeaseOwner } from './leased.ts';

/** An answer with a lease or a token in it, which is renewed here for as long as it is kept. */
export interface LeaseEntry {
  readonly key: string;
  readonly answer: CachedAnswer;
  /** Of the request, decoded and with its namespace. */
  readonly path: string;
  /** Of the request; empty is the root. */
  readonly namespace: string;
  owner: LeaseOwner;
  leased: LeasedValue;
  readonly firstTtlMs: number;
  failures: number;
  /** Calls off the next renewal. */
  cancel: () => void;
}
