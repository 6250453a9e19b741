/**
 * How urgent a request to a backend is. When not all can be sent at once, a smaller number goes first: a login, since
 * everything waits for it; a renewal, and a replacement of what ends soon; what a client or a person asks for now; a
 * secret's first fetch, which an application waits for; a poll, whose value is there already.
 */
export const URGENCY = { login: 0, ending: 1, asked: 2, first: 3, poll: 4 } as const;

export type Urgency = (typeof URGENCY)[keyof typeof URGENCY];

const urgencies = new WeakMap<AbortSignal, Urgency>();
const ends = new WeakMap<AbortSignal, number>();

/**
 * Says how urgent the requests are that `signal` can cancel, and when what they extend or replace ends. The signal of
 * an attempt goes through every layer from the lease manager to the connection, so neither needs a parameter of its own
 * in each of them.
 * @param endsMonoMs on the monotonic clock; infinite when nothing ends.
 */
export function setUrgency(signal: AbortSignal, urgency: Urgency, endsMonoMs = Number.POSITIVE_INFINITY): void {
  urgencies.set(signal, urgency);
  if (Number.isFinite(endsMonoMs)) ends.set(signal, endsMonoMs);
}

/** When that ends which the requests of `signal` extend or replace; infinite when nothing was said of an end. */
export function endsMonoMsOf(signal: AbortSignal): number {
  return ends.get(signal) ?? Number.POSITIVE_INFINITY;
}

/** What `setUrgency` said; a signal of which nothing was said is that of a first fetch. */
export function urgencyOf(signal: AbortSignal): Urgency {
  return urgencies.get(signal) ?? URGENCY.first;
}
