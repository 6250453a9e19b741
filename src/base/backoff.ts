/** Bounds of a retry schedule, in milliseconds. */
export interface BackoffBounds {
  readonly floorMs: number;
  readonly baseMs: number;
  readonly capMs: number;
}

export const DEFAULT_BACKOFF: BackoffBounds = { floorMs: 250, baseMs: 500, capMs: 30_000 };

/** The longest wait a server may ask of us with Retry-After. */
export const RETRY_AFTER_CAP_MS = 300_000;

/**
 * The shortest wait that counts as one. A server that sends 0, or a date that is past because its clock or ours is
 * wrong, names no time; taken at its word it would be asked at the floor for as long as it is in trouble.
 */
export const RETRY_AFTER_MIN_MS = 1_000;

/**
 * How long to wait before the try that follows `failures` failures in a row (1 or more).
 *
 * Full jitter: uniform between the floor and base × 2^(failures-1), capped. A server's Retry-After of a second or more
 * wins over it, capped at five minutes, and gets up to 10 % on top so that a fleet does not come back in one instant.
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
