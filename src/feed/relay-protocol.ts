import type { Marks } from './marks.ts';

/**
 * What an agent and a relay say to each other: the agent posts what it wants to hear of, and the relay answers with one
 * JSON document a line, until either closes the connection. A relay names no path: it says which of the agent's own
 * topics were written, by number.
 */

/** Where an agent posts a `RelayRequest`. */
export const RELAY_PATH = '/v1/watch';

/** The longest request, of either side. */
export const MAX_REQUEST_BYTES = 8 * 1024 * 1024;

/** The longest mark: servers take no longer paths. */
const MAX_MARK_LENGTH = 16 * 1024;

/** How often a relay sends a line when it has nothing to say. */
export const BEAT_MS = 10_000;

export interface RelayRequest {
  readonly topics: readonly Marks[];
  /** `at` of the last line that the agent has of this relay. Absent: it has none. */
  readonly since?: string;
}

export interface RelayLine {
  /** The place in the relay's own count of changes. */
  readonly at: string;
  /** Whether each change is told from now on. */
  readonly live: boolean;
  /** Why not, in words of the relay. */
  readonly why?: string;
  /** A `standby` passes writes on to the active node, whose own log has them. */
  readonly role: 'active' | 'standby';
  /** In the first line: whether nothing was missed since `RelayRequest.since`. */
  readonly isResumed?: boolean;
  /** The topics that may have changed, by their number in the request. */
  readonly changed?: readonly number[];
  /** As `changed`, of what concerns very many agents: they should not all ask at one moment. */
  readonly broad?: readonly number[];
}

/** Undefined: the text is no request. */
export function parseRelayRequest(text: string): RelayRequest | undefined {
  const asked = parsed(text) as { topics?: unknown; since?: unknown } | null | undefined;
  const { topics, since } = asked ?? {};
  if (!Array.isArray(topics) || (since !== undefined && typeof since !== 'string')) return undefined;
  const isMark = (mark: unknown) => typeof mark === 'string' && mark !== '' && mark.length <= MAX_MARK_LENGTH;
  const areMarks = (marks: unknown) => Array.isArray(marks) && marks.length <= 64 && marks.every(isMark);
  return topics.every(areMarks) ? { topics, ...(since === undefined ? {} : { since }) } : undefined;
}

/** Undefined: the text is no line of a relay. */
export function parseRelayLine(text: string): RelayLine | undefined {
  const line = parsed(text) as Partial<Record<keyof RelayLine, unknown>> | null | undefined;
  if (line === null || typeof line !== 'object') return undefined;
  const { at, live, why, role, isResumed, changed, broad } = line;
  const areNumbers = (list: unknown) => list === undefined || (Array.isArray(list) && list.every(Number.isSafeInteger));
  const fits =
    typeof at === 'string' &&
    typeof live === 'boolean' &&
    (why === undefined || typeof why === 'string') &&
    (role === 'active' || role === 'standby') &&
    (isResumed === undefined || typeof isResumed === 'boolean') &&
    areNumbers(changed) &&
    areNumbers(broad);
  return fits ? (line as RelayLine) : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
