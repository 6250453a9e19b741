import type { CertificateLife } from '../backend/backend.ts';
import type { Renewal, RenewalWindow } from '../config/config.ts';

/** When a certificate is to be replaced, on the wall clock. */
export interface RenewalTime {
  readonly atMs: number;
  /** When another try may be made after a failed one. */
  readonly againFromMs: number;
}

/** The first third of a life is no time for a renewal, whatever `renewBefore` says: it would never end. */
const EARLIEST_SHARE = 1 / 3;

/** A window is waited for until this share of the life is over. What is left is for retries. */
export const LATEST_SHARE = 0.9;

/** By how much of its life a certificate is replaced earlier at most, so that a fleet does not ask at once. */
const JITTER_SHARE = 0.05;

/**
 * When a certificate is replaced whose configuration says more than the default.
 *
 * - `renewBefore` counts from its end; the jitter is up to 5 % of the life earlier, but never in the first third.
 * - With `renewAt` it is replaced at a random moment of the first such hours after that, so that a fleet spreads over
 *   them. When nine tenths of the life would be over before, the coming end overrules the hours.
 * @param startMs from when its life counts: when it came, since issuers date certificates back.
 */
export function renewalTime(
  { notAfterMs }: CertificateLife,
  startMs: number,
  { beforeMs, beforeShare = 1 / 3, window }: Renewal,
  nowMs: number,
  random: () => number,
): RenewalTime {
  const lifeMs = notAfterMs - startMs;
  const jitterMs = lifeMs * JITTER_SHARE * random();
  const wantedMs = notAfterMs - (beforeMs ?? lifeMs * beforeShare) - jitterMs;
  const dueMs = Math.max(startMs + lifeMs * EARLIEST_SHARE, wantedMs);
  if (window === undefined) return { atMs: dueMs, againFromMs: nowMs };
  const latestMs = startMs + lifeMs * LATEST_SHARE;
  const earliestMs = Math.max(dueMs, nowMs);
  const hours = nextHours(window, earliestMs);
  if (hours === undefined || hours.fromMs > latestMs) return { atMs: latestMs - jitterMs, againFromMs: latestMs };
  const fromMs = Math.max(hours.fromMs, earliestMs);
  return { atMs: Math.min(latestMs, fromMs + (hours.toMs - fromMs) * random()), againFromMs: fromMs };
}

const DAYS_AHEAD = 8;
const MINUTE_MS = 60_000;

/** The hours of the window that end after `atMs`, the first ones. */
function nextHours(
  { days, from, to, utc }: RenewalWindow,
  atMs: number,
): { readonly fromMs: number; readonly toMs: number } | undefined {
  const at = new Date(atMs);
  // By the calendar: a day on which summer time begins or ends has its hours where the clock on the wall has them.
  const time = (day: number, minutes: number): number =>
    utc === true
      ? Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate() + day) + minutes * MINUTE_MS
      : new Date(at.getFullYear(), at.getMonth(), at.getDate() + day, 0, minutes).getTime();
  const weekday = utc === true ? at.getUTCDay() : at.getDay();
  for (let day = -1; day <= DAYS_AHEAD; day++) {
    if (!days.includes((weekday + day + 7) % 7)) continue;
    const fromMs = time(day, from);
    const toMs = time(to <= from ? day + 1 : day, to);
    if (toMs > atMs && toMs > fromMs) return { fromMs, toMs };
  }
  return undefined;
}
