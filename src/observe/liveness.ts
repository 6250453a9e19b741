import { formatDuration } from '../base/duration.ts';
import { type Failure, failure } from '../base/errors.ts';
import { placeOfOutput } from '../config/place.ts';

/** The signs of life at one moment, all on the monotonic clock. */
export interface LifeSigns {
  readonly nowMs: number;
  /** How late the event loop was with the last beat of `Pulse`, or is with the next one. */
  readonly loopLagMs: number;
  /** By how much the next deadline of a secret is past. */
  readonly timersLateMs: number;
  readonly backends: Iterable<BackendSigns>;
  readonly outputs: Iterable<{ readonly name: string; readonly dueMs: number }>;
}

export interface BackendSigns {
  readonly name: string;
  /** When the oldest running attempt to fetch from it began; undefined: none is running. */
  readonly attemptSinceMs: number | undefined;
  /** When the backend last gave a sign of life, or the moment for which it announced its next try. */
  readonly signMs: number;
  /** The timeout of one request. */
  readonly timeoutMs: number;
  /** When its login is renewed or replaced next; undefined while that is under way, or without a login. */
  readonly loginDueMs: number | undefined;
}

/** The limits are far beyond the effects of load: a restart of the agent costs every lease that its login owns. */
const LOOP_LAG_MS = 5_000;
const TIMERS_LATE_MS = 10_000;
const SILENT_MS = 60_000;
const LATE_MS = 60_000;

/**
 * Pure: which parts of the agent have stalled. A backend that is down is not such a part: each failing request ends at
 * its timeout and is a sign of life.
 *
 * - The event loop, when its last beat was late by more than 5 s.
 * - The deadlines of secrets, when the next one is past by more than 10 s.
 * - A backend with an attempt under way, when it gave no sign of life for a minute and two timeouts.
 * - A login, when its renewal or replacement is more than a minute late.
 * - The loop of an output, when a round takes a minute longer than its steps may take.
 */
export function lifeProblems({ nowMs, loopLagMs, timersLateMs, backends, outputs }: LifeSigns): readonly Failure[] {
  const problems: Failure[] = [];
  const stalled = (place: string, what: string, ms: number) =>
    void problems.push(failure('AGENT_STALLED', place, `${what} ${formatDuration(ms)}`));
  if (loopLagMs > LOOP_LAG_MS) stalled('process', 'the event loop was blocked for', loopLagMs);
  if (timersLateMs > TIMERS_LATE_MS) stalled('secrets', 'the next deadline is past by', timersLateMs);
  for (const { name, attemptSinceMs, signMs, timeoutMs, loginDueMs } of backends) {
    if (attemptSinceMs !== undefined) {
      const silentMs = nowMs - Math.max(attemptSinceMs, signMs);
      if (silentMs > SILENT_MS + 2 * timeoutMs) stalled(`backends.${name}`, 'an attempt has stalled for', silentMs);
    }
    const lateMs = loginDueMs === undefined ? 0 : nowMs - loginDueMs;
    if (lateMs > LATE_MS) stalled(`backends.${name}.auth`, 'the renewal of the login is late by', lateMs);
  }
  for (const { name, dueMs } of outputs) {
    if (nowMs > dueMs) stalled(placeOfOutput(name), 'the loop of the output is late by', nowMs - dueMs);
  }
  return problems;
}
