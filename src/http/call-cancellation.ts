import type { PannierError } from '../base/errors.ts';

/**
 * Ends one call, for whichever reason comes first: cancelled, disposed, too late. What an AbortController does, without
 * its weight, which ten thousand calls in the queue would have at once. The call does one thing at a time (wait, then
 * exchange), so there is one listener at a time.
 */
export class CallCancellation {
  #reason: PannierError | undefined;
  #listener: (() => void) | undefined;

  /** Why the call ended; undefined while it may go on. */
  get reason(): PannierError | undefined {
    return this.#reason;
  }

  stop(reason: PannierError): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#listener?.();
  }

  /** Calls `listener` when the call is to end; returns how to call it off. Ask `reason` first. */
  listen(listener: () => void): () => void {
    this.#listener = listener;
    return () => {
      if (this.#listener === listener) this.#listener = undefined;
    };
  }
}
