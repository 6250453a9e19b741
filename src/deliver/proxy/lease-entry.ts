import { digestOf } from './cache-key.ts';
import type { CachedAnswer } from './cached-answer.ts';
import type { LeasedValue, LeaseOwner } from './leased.ts';

/** A kept answer with a lease or a token, which is renewed for as long as the answer is kept. */
export interface LeaseEntry {
  readonly key: string;
  readonly answer: CachedAnswer;
  /** The path of the request, decoded and with its namespace. */
  readonly path: string;
  /** The namespace of the request; empty is the root. */
  readonly namespace: string;
  owner: LeaseOwner;
  leased: LeasedValue;
  /** The time to live that it began with, which each renewal asks for. */
  readonly firstTtlMs: number;
  /** How many renewals have failed in a row. */
  failures: number;
  /** Cancels the next renewal. */
  cancel: () => void;
}

/** Selects the entry of a token. */
export function hasToken(token: string | undefined): (entry: LeaseEntry) => boolean {
  const digest = token === undefined ? undefined : digestOf(token);
  return ({ leased }) => leased.kind === 'token' && digestOf(leased.token) === digest;
}

/** Selects the entry of the token with this accessor. */
export function hasAccessor(accessor: string | undefined): (entry: LeaseEntry) => boolean {
  return ({ leased }) => leased.kind === 'token' && leased.accessor === accessor;
}

/** Selects the entry of a lease. */
export function hasLeaseId(leaseId: string | undefined): (entry: LeaseEntry) => boolean {
  return ({ leased }) => leased.kind === 'lease' && leased.leaseId === leaseId;
}
