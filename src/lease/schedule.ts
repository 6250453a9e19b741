import type { Life, Want } from '../backend/backend.ts';
import { backoffMs } from '../base/backoff.ts';

/** What to do next with a secret, and when. */
export interface Next {
  readonly do: 'fetch' | 'renew' | 'poll';
  readonly atMonoMs: number;
}

export interface ClockReading {
  readonly wallMs: number;
  readonly monoMs: number;
}

export interface ScheduleInput {
  readonly life: Life;
  /** When the value came, on the wall clock. */
  readonly fetchedWallMs: number;
  /** Failures in a row of the last kind of attempt; 0 after a success. */
  readonly failures: number;
  readonly retryAfterMs?: number | undefined;
  /** How many fetches in a row brought the lease that is held already; 0 when the last brought another one. */
  readonly sameLease?: number;
  /** The first poll after a start spreads over the whole interval, so that a fleet started at once drifts apart. */
  readonly firstPoll: boolean;
}

/** Nothing is done to one secret more often than this, whatever a backend claims about its life. */
export const MIN_LIFE_MS = 200;

/**
 * Pure: when a secret is next renewed, replaced or polled.
 *
 * - A renewable lease is renewed at two thirds of its life (jitter: up to 5 % of the life earlier).
 * - A non-renewable lease is replaced at 0.85 to 0.9 of its life.
 * - A fetch that brings the same lease again (a cache on the way answered) is made again with backoff, not later than
 *   the end of the lease.
 * - A certificate is replaced at two thirds of its validity (jitter: up to 5 % of it earlier). Issuers date
 *   `notBefore` back (Vault by 30 s), so the validity counts from when it came: a short one is not replaced at once.
 * - An end that stands in an answer: the secret is fetched again at two thirds of its life (jitter as above). One that
 *   has ended when it came is asked for at `refresh`, as is one whose request mints nothing.
 * - A static role is read at `refresh`, or one second after its announced rotation if that is earlier. While a rotation
 *   is due and has not come it is read again after 1, 2, 4 … seconds, up to `refresh`.
 * - A secret without a lease is polled at `refresh` ± 10 %, the first time anywhere in the interval.
 * - The end of the login plays no part here: leases move to the next login when the session replaces the old one.
 *   Planning by it too would mint credentials in ever shorter steps whenever that replacement fails.
 * - After a failure: full jitter backoff, Retry-After first. A failing renewal turns into a fetch when less than a
 *   tenth of the life is left, still in time for a new credential before the old one ends.
 */
export function decide(
  situation: ScheduleInput,
  want: Pick<Want, 'refreshMs'>,
  now: ClockReading,
  random: () => number,
): Next {
  const { life, failures } = situation;
  const planned = plan(situation, want.refreshMs, now, random);
  if (failures === 0) return sameLeaseAgain(planned, situation, now, random);
  const atMonoMs = now.monoMs + backoffMs(failures, random, situation.retryAfterMs);
  if (life.kind !== 'lease' || !life.renewable) return { do: planned.do === 'renew' ? 'fetch' : planned.do, atMonoMs };
  const lastTenth = life.startedMonoMs + life.ttlMs * 0.9;
  if (now.monoMs >= lastTenth) return { do: 'fetch', atMonoMs };
  return atMonoMs < lastTenth ? { do: 'renew', atMonoMs } : { do: 'fetch', atMonoMs: lastTenth };
}

function sameLeaseAgain(
  planned: Next,
  { life, sameLease = 0 }: ScheduleInput,
  now: ClockReading,
  random: () => number,
): Next {
  if (sameLease === 0 || life.kind !== 'lease' || planned.do !== 'fetch') return planned;
  const soonest = now.monoMs + MIN_LIFE_MS;
  const endMs = Math.max(soonest, life.startedMonoMs + life.ttlMs);
  return {
    do: 'fetch',
    atMonoMs: Math.max(planned.atMonoMs, Math.min(endMs, now.monoMs + backoffMs(sameLease, random))),
  };
}

function plan(situation: ScheduleInput, refreshMs: number, now: ClockReading, random: () => number): Next {
  const { life } = situation;
  const soonest = now.monoMs + MIN_LIFE_MS;
  const pollAtMs = () => {
    if (refreshMs === Number.POSITIVE_INFINITY) return refreshMs;
    return now.monoMs + refreshMs * (situation.firstPoll ? random() : 0.9 + 0.2 * random());
  };
  switch (life.kind) {
    case 'none':
      return { do: 'poll', atMonoMs: Math.max(soonest, pollAtMs()) };
    case 'rotates': {
      const looks = life.looksInVain ?? 0;
      const rotatedMs = looks === 0 ? life.startedMonoMs + life.inMs + 1000 : now.monoMs + 1000 * 2 ** (looks - 1);
      return { do: 'poll', atMonoMs: Math.max(soonest, Math.min(pollAtMs(), rotatedMs)) };
    }
    case 'ends': {
      const nowMs = life.clock === 'wall' ? now.wallMs : now.monoMs;
      const share = 2 / 3 - 0.05 * random();
      const dueMs = now.monoMs + life.startMs + (life.endMs - life.startMs) * share - nowMs;
      if (life.endMs <= life.startMs) return { do: 'poll', atMonoMs: Math.max(soonest, pollAtMs()) };
      const atMonoMs = life.mints ? dueMs : Math.min(dueMs, pollAtMs());
      return { do: atMonoMs === dueMs ? 'fetch' : 'poll', atMonoMs: Math.max(soonest, atMonoMs) };
    }
    case 'certificate': {
      const startMs = Math.max(life.notBeforeMs, situation.fetchedWallMs);
      const dueWallMs = startMs + (life.notAfterMs - startMs) * (2 / 3 - 0.05 * random());
      return { do: 'fetch', atMonoMs: Math.max(soonest, now.monoMs + dueWallMs - now.wallMs) };
    }
    case 'lease': {
      const share = life.renewable ? 2 / 3 - 0.05 * random() : 0.85 + 0.05 * random();
      const atMonoMs = Math.max(soonest, life.startedMonoMs + life.ttlMs * share);
      return { do: life.renewable ? 'renew' : 'fetch', atMonoMs };
    }
  }
}

/**
 * When a value stops being valid, on the monotonic clock: the end of its lease, login or certificate, or the one that
 * stands in the answer. `Infinity` for lives that promise no end. A static role's old password dies at its rotation.
 * When a login that is known dead ended is not known, so a lease of it ended when it began.
 */
export function endsMonoMs(life: Life, loginEndsMonoMs: number, now: ClockReading): number {
  switch (life.kind) {
    case 'none':
      return Number.POSITIVE_INFINITY;
    case 'rotates':
      return life.startedMonoMs + life.inMs;
    case 'certificate':
      return now.monoMs + life.notAfterMs - now.wallMs;
    case 'ends':
      return life.clock === 'mono' ? life.endMs : now.monoMs + life.endMs - now.wallMs;
    case 'lease':
      return Math.max(life.startedMonoMs, Math.min(life.startedMonoMs + life.ttlMs, loginEndsMonoMs));
  }
}

/**
 * Whether a renewal was granted less than three quarters of what the one before was: the lease nears its max_ttl, the
 * next renewal will not help, and a new lease is fetched now, while the old one has most of its time.
 */
export function stoppedExtending(before: Life & { kind: 'lease' }, after: Life & { kind: 'lease' }): boolean {
  return after.ttlMs < before.ttlMs * 0.75;
}
