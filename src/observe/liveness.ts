import { formatDuration } from '../base/duration.ts';
import { type Failure, failure } from '../base/errors.ts';
import { placeOfOutput } from '../config/place.ts';

/** The signs of life at one moment, all on the monotonic clock. */
export interface LifeSigns {
  readonly nowMs: number;
  /** How late the event loop was with its last beat, or is with the next one. */
  readonly loopLagMs: number;
  /** By how much the next deadline of a secret is past. */
  readonly timersLateMs: number;
  readonly backends: Iterable<BackendSigns>;
  readonly outputs: Iterable<{ readonly name: string; readonly dueMs: number }>;
}

export interface BackendSigns {
  readonly name: string;
  /** When the oldest attempt that runs began; undefined when none does. */
  readonly attemptSinceMs: number | undefined;
  /** When something was last heard of it, or the moment for which it announced its next try. */
  readonly heardMs: number;
  /** Of one request. */
  readonly timeoutMs: number;
  /** When the keeper of its login acts next; undefined while it does. */
  readonly loginDueMs: number | undefined;
}

/** The limits are far from what load does: a restart of the agent costs every lease that hangs on its login. */
const LOOP_LAG_MS = 5_000;
const TIMERS_LATE_MS = 10_000;
const SILENT_MS = 60_000;
const LATE_MS = 60_000;

/**
 * Pure: what has stopped moving; nothing when all goes on. A backend that is down is no such thing: each failing
 * request ends at its timeout and is a sign of life.
 *
 * - The event loop: its last beat was late by more than 5 s.
 * - The deadlines of secrets: the next one is past by more than 10 s.
 * - A backend with an attempt under way: nothing heard of it for a minute and two timeouts.
 * - The keeper of a login: more than a minute late with what it does next.
 * - The loop of an output: it has not come round in the time its steps may take, and a minute.
 */
export function lifeProblems({ nowMs, loopLagMs, timersLateMs, backends, outputs }: LifeSigns): readonly Failure[] {
  const problems: Failure[] = [];
  const stalled = (place: string, what: string, ms: number) =>
    void problems.push(failure('AGENT_STALLED', place, `${what} ${formatDuration(ms)}`));
  if (loopLagMs > LOOP_LAG_MS) stalled('process', 'the event loop was blocked for', loopLagMs);
  if (timersLateMs > TIMERS_LATE_MS) stalled('secrets', 'the next deadline is past by', timersLateMs);
  for (const { name, attemptSinceMs, heardMs, timeoutMs, loginDueMs } of backends) {
    if (attemptSinceMs !== undefined) {
      const silentMs = nowMs - Math.max(attemptSinceMs, heardMs);
      if (silentMs > SILENT_MS + 2 * timeoutMs) stalled(`backends.${name}`, 'nothing moves there for', silentMs);
    }
    const lateMs = loginDueMs === undefined ? 0 : nowMs - loginDueMs;
    if (lateMs > LATE_MS) stalled(`backends.${name}.auth`, 'the login is not kept since', lateMs);
  }
  for (const { name, dueMs } of outputs) {
    if (nowMs > dueMs) stalled(placeOfOutput(name), 'it has not come round, late by', nowMs - dueMs);
  }
  return problems;
}
