/** Bounds of a retry schedule. */
export interface BackoffBounds {
  /** The shortest wait. */
  readonly floorMs: number;
  /** The longest wait after the first failure; it doubles with each further failure. */
  readonly baseMs: number;
  /** The longest wait after any number of failures. */
  readonly capMs: number;
}

/** The bounds of retries, unless a caller gives others. */
export const DEFAULT_BACKOFF: BackoffBounds = { floorMs: 250, baseMs: 500, capMs: 30_000 };

/** The longest wait that a server can ask for with Retry-After. */
export const RETRY_AFTER_CAP_MS = 300_000;

/**
 * A shorter Retry-After is ignored. A server that sends 0, or a date that is past because one of the two clocks is
 * wrong, gives no useful time: to follow it would mean to ask an overloaded server again without a pause.
 */
export const RETRY_AFTER_MIN_MS = 1_000;

/**
 * How long to wait, in milliseconds, before the try that follows `failures` failures in a row (1 or more).
 *
 * Full jitter: uniform between the floor and base × 2^(failures-1), capped. A server's Retry-After of a second or more
 * replaces it, capped at five minutes, plus up to 10 % so that the clients of a fleet do not come back in one instant.
 * See "Exponential Backoff And Jitter", AWS Architecture Blog.
 */
export function backoffMs(
  failures: number,
  random: () => number,
  retryAfterMs?: number,
  bounds: BackoffBounds = DEFAULT_BACKOFF,
): number {
  if (retryAfterMs !== undefined && retryAfterMs >= RETRY_AFTER_MIN_MS) {
    return Math.min(RETRY_AFTER_CAP_MS, retryAfterMs) * (1 + 0.1 * random());
  }
  const ceiling = Math.min(bounds.capMs, bounds.baseMs * 2 ** Math.min(30, Math.max(0, failures - 1)));
  return bounds.floorMs + random() * Math.max(0, ceiling - bounds.floorMs);
}
