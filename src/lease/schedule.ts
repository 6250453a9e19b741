import type { Life, Want } from '../backend/backend.ts';
import { backoffMs, DEFAULT_BACKOFF, isFollowed, paceMs, patientBackoffMs, QUICK_TRIES } from '../base/backoff.ts';
import type { Renewal } from '../config/config.ts';
import { LATEST_SHARE, type RenewalTime, renewalTime } from './certificate-renewal.ts';

/** What to do next with a secret, and when. */
export interface Next {
  readonly do: 'fetch' | 'renew' | 'poll';
  readonly atMonoMs: number;
}

/** Both clocks, read at one moment. */
export interface ClockReading {
  readonly wallMs: number;
  readonly monoMs: number;
}

/** What the next attempt depends on. */
export interface ScheduleInput {
  readonly life: Life;
  /** When the value came, on the wall clock. */
  readonly fetchedWallMs: number;
  /** Failed attempts in a row; 0 after a success. */
  readonly failures: number;
  /** What the server asked for after the last failure, by Retry-After. */
  readonly retryAfterMs?: number | undefined;
  /** The first renewal or replacement falls anywhere in the second half of its time, see `Backend.spreadsFirst`. */
  readonly firstRenewal?: boolean;
  /** The last attempt failed since the backend gave no proper answer, see `isOutage`. Absent: it did answer. */
  readonly isOutage?: boolean;
  /** The last attempt was a renewal, of a lease that the backend knows no more: that says nothing of a fetch. */
  readonly fetchInstead?: boolean;
  /**
   * How long until the value that is held ends or is too old; infinite when nothing ends it. Absent: no value is held.
   */
  readonly restMs?: number | undefined;
  /** How many fetches in a row brought the lease that is held already; 0 when the last fetch brought another lease. */
  readonly sameLease?: number;
  /** How a certificate is replaced, where the configuration says so. */
  readonly renewal?: Renewal | undefined;
  /**
   * When the first poll was planned, on the monotonic clock: later polls keep to its place in the interval. Absent
   * for the first poll after a start, which falls anywhere in the interval, so that agents that start together drift
   * apart.
   */
  readonly pollPhaseMonoMs?: number | undefined;
}

/** The shortest time after which the next attempt is due, whatever a backend says about the life of its value. */
export const MIN_LIFE_MS = 200;

/**
 * Pure: when a secret is next renewed, replaced or polled.
 *
 * - A renewable lease is renewed at two thirds of its life (jitter: up to 5 % of the life earlier).
 * - A non-renewable lease is replaced at 0.85 to 0.9 of its life.
 * - With `firstRenewal` either comes up to half of that time earlier, once: agents that start together drift apart.
 * - A fetch that brings the same lease again (a cache on the way answered) is made again with backoff, not later than
 *   the end of the lease.
 * - A certificate is replaced at two thirds of its validity (jitter: up to 5 % of it earlier). Issuers date
 *   `notBefore` back (Vault by 30 s), so the validity counts from when it came: a short one is not replaced at once.
 *   `renewBefore` and `renewAt` say otherwise, see `renewalTime`. Without these it is replaced when its issuer wants it
 *   to be, but not after nine tenths; and a moment of the issuer that has come counts before both. One that is only
 *   stored is polled at `refresh`.
 * - A value whose answer names its end is fetched again at two thirds of its life (jitter as above), or at `refresh` if
 *   that is earlier and the request mints nothing. A value that had ended already when it came is polled at `refresh`.
 * - A static role is read at `refresh`, or one second after its announced rotation if that is earlier. While a rotation
 *   is due and has not happened, the role is read again after 1, 2, 4 … seconds, up to `refresh`.
 * - A secret without a lease is polled at `refresh` ± 10 %; its first poll falls anywhere in the interval, and later
 *   ones keep to that place, see `pollMonoMs`.
 * - The end of the login plays no part here: leases are fetched anew when the session replaces the login. Planning by
 *   the end of the login too would mint credentials in ever shorter steps whenever that replacement fails.
 * - After a failure the attempt is made again with full jitter backoff, or after the server's Retry-After; where a
 *   value is held that does not end soon, it is made at the pace of `refresh` after a few tries. A failing renewal
 *   turns into a fetch when less than a tenth of the life is left, in time for a new lease before the old ends.
 */
export function decide(
  input: ScheduleInput,
  want: Pick<Want, 'refreshMs'>,
  now: ClockReading,
  random: () => number,
): Next {
  const { life, failures } = input;
  const planned = plan(input, want.refreshMs, now, random);
  if (failures === 0) return sameLeaseAgain(planned, input, now, random);
  const retryAtMonoMs = now.monoMs + retryMs(input, want.refreshMs, random);
  // What is tried for at the pace of its polls is tried for at their place: after an outage the polls are spread still.
  const isPoll = planned.do === 'poll' && input.pollPhaseMonoMs !== undefined && isPatient(input, want.refreshMs);
  const atMonoMs = isPoll && !isFollowed(input.retryAfterMs) ? planned.atMonoMs : retryAtMonoMs;
  if (life.kind === 'certificate') return { do: planned.do, atMonoMs: Math.max(atMonoMs, againMonoMs(input, now)) };
  if (life.kind !== 'lease' || !life.renewable) return { do: planned.do === 'renew' ? 'fetch' : planned.do, atMonoMs };
  const lastTenth = life.startedMonoMs + life.ttlMs * 0.9;
  if (now.monoMs >= lastTenth) return { do: 'fetch', atMonoMs };
  return atMonoMs < lastTenth ? { do: 'renew', atMonoMs } : { do: 'fetch', atMonoMs: lastTenth };
}

/**
 * How long to wait after a failure. Where a value is held, there is time for tries at the pace of `refresh`, or at that
 * of what is left of the value's life. A value that has ended is tried for in a hurry while the backend is away, but
 * not when the backend answers and refuses: it will say the same in 30 s.
 */
function retryMs(input: ScheduleInput, refreshMs: number, random: () => number): number {
  const { failures, retryAfterMs } = input;
  return patientBackoffMs(failures, random, retryPaceMs(input, refreshMs), {
    retryAfterMs,
    quickTries: quickTries(input),
    capMs: hurryMs(input),
  });
}

/**
 * One backoff of up to 30 s may not wait out the rest of a short lease, when the backend is away for seconds only.
 * What has no end need not hurry, though it is too old one day. Undefined: there is no hurry.
 */
function hurryMs({ life, isOutage = false, restMs = 0 }: ScheduleInput): number | undefined {
  return isOutage && life.kind !== 'none' && restMs > 0 ? paceMs(restMs, DEFAULT_BACKOFF.capMs) : undefined;
}

function retryPaceMs(input: ScheduleInput, refreshMs: number): number {
  const { restMs } = input;
  const longestMs = restMs === undefined || !Number.isFinite(refreshMs) ? 0 : refreshMs;
  const hasEnded = restMs !== undefined && restMs <= 0;
  return hasEnded ? (mayHelpSoon(input) ? 0 : longestMs) : paceMs(restMs ?? 0, longestMs);
}

/** Whether the next attempt may succeed soon: what is refused now is refused again. */
const mayHelpSoon = ({ isOutage, fetchInstead }: ScheduleInput): boolean => isOutage === true || fetchInstead === true;

const quickTries = (input: ScheduleInput): number => (mayHelpSoon(input) ? QUICK_TRIES : 0);

/** Whether the next try may wait as long as the next poll. */
function isPatient(input: ScheduleInput, refreshMs: number): boolean {
  return (
    input.failures > quickTries(input) &&
    refreshMs > DEFAULT_BACKOFF.capMs &&
    retryPaceMs(input, refreshMs) === refreshMs
  );
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

function plan(input: ScheduleInput, refreshMs: number, now: ClockReading, random: () => number): Next {
  const { life } = input;
  const soonest = now.monoMs + MIN_LIFE_MS;
  const pollAtMs = () => {
    if (refreshMs === Number.POSITIVE_INFINITY) return refreshMs;
    const phaseMonoMs = input.pollPhaseMonoMs;
    if (phaseMonoMs === undefined) return now.monoMs + refreshMs * random();
    return pollMonoMs(phaseMonoMs, refreshMs, now.monoMs, random);
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
      if (life.stored) return { do: 'poll', atMonoMs: Math.max(soonest, pollAtMs()) };
      // Whatever the configuration or a clock says: one that has ended is replaced at once.
      const inLife = (wallMs: number) => Math.max(soonest, now.monoMs + Math.min(wallMs, life.notAfterMs) - now.wallMs);
      const renewal = renewalOf(input, now, random);
      const { replaceAtMs = Number.POSITIVE_INFINITY } = life;
      if (renewal !== undefined && replaceAtMs > now.wallMs) return { do: 'fetch', atMonoMs: inLife(renewal.atMs) };
      const startMs = Math.max(life.notBeforeMs, input.fetchedWallMs);
      const lifeMs = life.notAfterMs - startMs;
      const dueWallMs =
        life.replaceAtMs === undefined
          ? startMs + lifeMs * (2 / 3 - 0.05 * random())
          : Math.min(life.replaceAtMs, startMs + lifeMs * LATEST_SHARE);
      return { do: 'fetch', atMonoMs: inLife(dueWallMs) };
    }
    case 'lease': {
      const latest = life.renewable ? 2 / 3 : 0.9;
      const share = latest - (input.firstRenewal === true ? latest / 2 : 0.05) * random();
      const atMonoMs = Math.max(soonest, life.startedMonoMs + life.ttlMs * share);
      return { do: life.renewable ? 'renew' : 'fetch', atMonoMs };
    }
  }
}

/** A spread of so many times the outage adds half of the usual load, since that is how much fell into it. */
const SPREAD_PER_OUTAGE = 2;

/** What comes by itself within this part of `refresh` is not brought forward; the rest adds half of the usual load. */
const MAX_SPREAD_OF_REFRESH = 2 / 3;

/**
 * Within what time after an outage all that failed in it is tried for, each at a random moment. A fleet comes back at
 * once, and its polls go on at their own places meanwhile, so what is brought forward comes on top of these: of an
 * outage that is shorter than `refresh`, as much as would have been polled in it; of a longer one, every secret whose
 * own poll is not due by then. With these shares it is half of the usual load, whatever the length of the outage.
 */
export function triedWithinMs(outageMs: number, refreshMs: number): number {
  return Math.min(SPREAD_PER_OUTAGE * outageMs, MAX_SPREAD_OF_REFRESH * refreshMs);
}

/** The jitter of a poll around its place in the interval, as a part of the interval, each way. */
const POLL_JITTER = 0.025;

/** A poll is left out when its place comes sooner than this part of the interval after another read. */
const MIN_POLL_GAP = 0.05;

/**
 * The next poll after one that was read now. Counted from now, polls would keep no spread: secrets that come back
 * together after an outage, or after a moment in which the machine was busy, would be polled together from then on, and
 * jitter takes some thirty intervals to part them. So each secret keeps the place in the interval that its first poll
 * was given at random. A read out of turn is followed by a poll at that place, which is early rather than late.
 *
 * The jitter is small, since `Deadlines` rounds the moment up by a twentieth of the interval at most: from one poll to
 * the next it is the interval, 10 % more or less.
 */
function pollMonoMs(phaseMonoMs: number, refreshMs: number, nowMonoMs: number, random: () => number): number {
  const intervals = Math.ceil((nowMonoMs - phaseMonoMs) / refreshMs + MIN_POLL_GAP);
  return phaseMonoMs + refreshMs * (intervals + POLL_JITTER * (2 * random() - 1));
}

function renewalOf(
  { life, fetchedWallMs, renewal }: ScheduleInput,
  now: ClockReading,
  random: () => number,
): RenewalTime | undefined {
  if (renewal === undefined || life.kind !== 'certificate') return undefined;
  return renewalTime(life, Math.max(life.notBeforeMs, fetchedWallMs), renewal, now.wallMs, random);
}

/** From when on a failed replacement may be tried again: not outside of the hours that the configuration names. */
function againMonoMs(input: ScheduleInput, now: ClockReading): number {
  const { againFromMs = now.wallMs } = renewalOf(input, now, () => 0) ?? {};
  return now.monoMs + againFromMs - now.wallMs;
}

/**
 * When a value stops being valid, on the monotonic clock: at the end of its lease, login or certificate, at the end
 * that its answer names, or at the announced rotation of a static role. `Infinity` for lives that promise no end. It is
 * not known when a login ended that was found dead (its end is -Infinity), so its leases ended when they began.
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
 * Whether a renewal was granted less than three quarters of what the renewal before was granted: the lease nears its
 * max_ttl, so another renewal will not help, and a new lease is fetched while the old one has most of its time left.
 */
export function stoppedExtending(before: Life & { kind: 'lease' }, after: Life & { kind: 'lease' }): boolean {
  return after.ttlMs < before.ttlMs * 0.75;
}

/**
 * Whether a renewal left the end where it was: a cache on the way answered with what an earlier renewal gave. The age
 * of such an answer has whole seconds, so an end that moved by less than one has not moved.
 */
export function endStayed(before: Life & { kind: 'lease' }, after: Life & { kind: 'lease' }): boolean {
  const movedMs = after.startedMonoMs + after.ttlMs - before.startedMonoMs - before.ttlMs;
  return Math.abs(movedMs) < Math.min(1_000, after.ttlMs / 10);
}
