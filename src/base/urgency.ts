/**
 * How urgent a request to a backend is. When not all can be sent at once, a smaller number goes first: a login, since
 * everything waits for it; a renewal, and a replacement of what ends soon; a secret's first fetch, which an application
 * waits for; a poll, whose value is there already.
 */
export const URGENCY = { login: 0, ending: 1, first: 2, poll: 3 } as const;

export type Urgency = (typeof URGENCY)[keyof typeof URGENCY];

const urgencies = new WeakMap<AbortSignal, Urgency>();

/**
 * Says how urgent the requests are that `signal` can cancel. The signal of an attempt goes through every layer from the
 * lease manager to the connection, so the urgency needs no parameter of its own in each of them.
 */
export function setUrgency(signal: AbortSignal, urgency: Urgency): void {
  urgencies.set(signal, urgency);
}

/** What `setUrgency` said; a signal of which nothing was said is that of a first fetch. */
export function urgencyOf(signal: AbortSignal): Urgency {
  return urgencies.get(signal) ?? URGENCY.first;
}
