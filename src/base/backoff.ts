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
  if (isFollowed(retryAfterMs)) {
    return Math.min(RETRY_AFTER_CAP_MS, retryAfterMs) * (1 + 0.1 * random());
  }
  const ceiling = Math.min(bounds.capMs, bounds.baseMs * 2 ** Math.min(30, Math.max(0, failures - 1)));
  return bounds.floorMs + random() * Math.max(0, ceiling - bounds.floorMs);
}

/** A failing attempt that is not urgent is repeated soon this often, as most troubles are over in a second or two. */
export const QUICK_TRIES = 3;

/** Tries for what ends within seconds are so far apart: the circuit of a backend lets one pass each second. */
const URGENT_PACE_MS = 1_000;

/**
 * As `backoffMs`, for what need not hurry, such as a value that is there and does not end soon. The first tries come as
 * soon as those of `backoffMs`. The next comes anywhere within `paceMs`, and from then on one comes per `paceMs`, 10 %
 * more or less: what fails is asked for about as often as what does not. So while a backend is away a fleet sends it no
 * more than when all is well, and afterwards each agent comes back at a moment of its own. A `paceMs` below the cap of
 * 30 s changes nothing.
 *
 * @param quickTries how many tries come soon.
 * @param capMs the longest wait of the tries that come soon, for what ends sooner than in minutes; at least 1 s.
 */
export function patientBackoffMs(
  failures: number,
  random: () => number,
  paceMs: number,
  {
    retryAfterMs,
    quickTries = QUICK_TRIES,
    capMs = DEFAULT_BACKOFF.capMs,
  }: {
    readonly retryAfterMs?: number | undefined;
    readonly quickTries?: number;
    readonly capMs?: number | undefined;
  },
): number {
  const bounds = { ...DEFAULT_BACKOFF, capMs: Math.min(DEFAULT_BACKOFF.capMs, Math.max(URGENT_PACE_MS, capMs)) };
  const soonMs = backoffMs(failures, random, retryAfterMs, bounds);
  if (failures <= quickTries || paceMs <= DEFAULT_BACKOFF.capMs) return soonMs;
  const share = failures === quickTries + 1 ? random() : 0.9 + 0.2 * random();
  const askedFor = isFollowed(retryAfterMs) ? soonMs : 0;
  return Math.max(askedFor, DEFAULT_BACKOFF.floorMs, paceMs * share);
}

/** What is left of a life may be divided into so many tries. */
const TRIES_IN_REST = 4;

/**
 * The pace for `patientBackoffMs` of something that ends in `restMs`: a quarter of that, so that the tries come closer
 * as the end does; `longestMs` at most.
 */
export function paceMs(restMs: number, longestMs: number): number {
  return Math.max(0, Math.min(longestMs, restMs / TRIES_IN_REST));
}

/** The shortest time that a request has for its answer because something ends. */
const MIN_TRY_MS = 1_000;

/**
 * How long a request may wait for its answer while there are `restMs` until what it extends or replaces ends: half of
 * that, so that further tries fit in when no answer comes; `timeoutMs` at most. The first of these tries has the most
 * time, for a server that is slow. What has ended already does not hurry.
 */
export function tryMs(timeoutMs: number, restMs: number): number {
  return restMs > 0 ? Math.round(Math.min(timeoutMs, Math.max(MIN_TRY_MS, restMs / 2))) : timeoutMs;
}

/** Whether a server's Retry-After counts. */
export function isFollowed(retryAfterMs: number | undefined): retryAfterMs is number {
  return retryAfterMs !== undefined && retryAfterMs >= RETRY_AFTER_MIN_MS;
}
