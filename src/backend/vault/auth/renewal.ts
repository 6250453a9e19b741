/** Never two renewals of one login within this, however short its life. */
export const MIN_RENEWAL_GAP_MS = 100;

/** A login that dies before this age was no good: the next but one waits. */
export const YOUNG_MS = 10_000;

/**
 * When a login is renewed, or replaced when it cannot be renewed: at two thirds of its life, the point moved by up to
 * 5 % either way so that a fleet started together drifts apart. Between 0.633 and 0.7 of the life.
 */
export function renewAtMs(startedMs: number, lifeMs: number, random: () => number): number {
  return startedMs + lifeMs * (2 / 3) * (0.95 + 0.1 * random());
}

/**
 * How long before its end a login whose renewal keeps failing is replaced: the last sixth of its life, at least the
 * last five seconds, but not more than the last third. Before that only the renewal is tried again, since a replacement
 * makes every leased secret anew.
 */
export function replaceMarginMs(lifeMs: number): number {
  return Math.max(lifeMs / 6, Math.min(5000, lifeMs / 3));
}

/**
 * Whether a renewal moved the end. Servers answer in whole seconds, and a login near its longest life (max_ttl) gets
 * what is left of it, so an end that moved by less than a tenth of the life (0.1 to 1 s) has not moved.
 */
export function isExtended(oldEndMs: number, newEndMs: number, lifeMs: number): boolean {
  return newEndMs > oldEndMs + Math.min(1000, Math.max(100, lifeMs / 10));
}

/**
 * Where the server checks the credential of a login again at each renewal, the login is renewed for the last time this
 * long before the credential ends: no later renewal is granted, and this one makes the login last longest.
 */
export const LAST_RENEWAL_BEFORE_MS = 10_000;
