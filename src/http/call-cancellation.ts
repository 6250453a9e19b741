import type { PannierError } from '../base/errors.ts';

/**
 * Ends one call for the first of its reasons: the caller cancelled, the client was disposed, the deadline passed. It
 * replaces an AbortController, which is too heavy for ten thousand queued calls. A call does one thing at a time (it
 * waits, then it exchanges), so there is one listener at a time.
 */
export class CallCancellation {
  #reason: PannierError | undefined;
  #listener: (() => void) | undefined;

  /** Why the call ended; undefined while it may go on. */
  get reason(): PannierError | undefined {
    return this.#reason;
  }

  /** The first reason counts; later calls are ignored. */
  stop(reason: PannierError): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#listener?.();
  }

  /**
   * Calls `listener` when the call is to end, in place of an earlier listener. Read `reason` first: a call that has
   * ended already calls nothing. Returns a function that removes the listener.
   */
  listen(listener: () => void): () => void {
    this.#listener = listener;
    return () => {
      if (this.#listener === listener) this.#listener = undefined;
    };
  }
}
