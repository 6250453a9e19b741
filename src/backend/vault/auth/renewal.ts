import { paceMs, patientBackoffMs } from '../../../base/backoff.ts';
import type { Failure } from '../../../base/errors.ts';
import { isOutage } from '../../outage.ts';
import type { LiveLogin } from './method.ts';

/** The least time between two renewals of one login, however short its life is. */
export const MIN_RENEWAL_GAP_MS = 100;

/** A login that dies before this age died young; see `LoginPacing.died`. */
export const YOUNG_MS = 10_000;

/**
 * When a login is renewed, or replaced when it cannot be renewed: at two thirds of its life, moved at random by up to
 * 5 % either way, so that agents which started together spread out. The result is between 0.633 and 0.7 of the life.
 */
export function renewAtMs(startedMs: number, lifeMs: number, random: () => number, isFirstOfFleet = false): number {
  if (isFirstOfFleet) return startedMs + lifeMs * (2 / 3) * (0.5 + 0.5 * random());
  return startedMs + lifeMs * (2 / 3) * (0.95 + 0.1 * random());
}

/**
 * How long before its end a login is replaced when its renewal fails: the last sixth of its life, at least the last
 * five seconds, but at most the last third. Before that, only the renewal is tried again, since a new login means that
 * every leased secret is fetched again.
 */
export function replaceMarginMs(lifeMs: number): number {
  return Math.max(lifeMs / 6, Math.min(5000, lifeMs / 3));
}

/**
 * Whether a renewal moved the end of a login. Servers answer in whole seconds, and near its longest life (max_ttl) a
 * login gets only what is left of it. So a move by less than a tenth of the life, at least 0.1 s and at most 1 s, does
 * not count.
 */
export function isExtended(oldEndMs: number, newEndMs: number, lifeMs: number): boolean {
  return newEndMs > oldEndMs + Math.min(1000, Math.max(100, lifeMs / 10));
}

/**
 * When the server checks the credential of a login again at each renewal, the last renewal is made this long before the
 * credential ends. A renewal after that end is refused, and the latest possible one lets the login live longest.
 */
export const LAST_RENEWAL_BEFORE_MS = 10_000;

/** Tries to renew or to replace a login that lasts for long are not further apart than this. */
const MAX_PACE_MS = 300_000;

/**
 * How long to wait after a failed try to renew or to replace a login.
 * @param failures how many tries failed in a row.
 * @param login the one that is in use; without one everything waits for the next, and tries come soon.
 */
export function loginBackoffMs(
  failures: number,
  why: Failure,
  login: LiveLogin | undefined,
  nowMs: number,
  random: () => number,
): number {
  const pace = login === undefined ? 0 : paceMs(login.endsMonoMs - nowMs, MAX_PACE_MS);
  const { retryAfterMs } = why;
  const limits = { retryAfterMs, capMs: isOutage(why) ? pace || undefined : undefined };
  return patientBackoffMs(failures, random, pace, limits);
}
