import type { IncomingMessage, ServerResponse } from 'node:http';

/** What answers on a listener. The listener keeps the caps on connections, headers and time; a service does the rest. */
export interface Service extends AsyncDisposable {
  /**
   * Called once, when the configuration that it was made for is taken: the backends and secrets of it are there from
   * now on. A new listener may get requests before. Services of the configuration before are disposed when the promise
   * has settled, so that what both use can be handed on. Never rejects.
   */
  start?(): Promise<void>;
  /** Answers one request. Never throws; a promise of its own is its own business. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Whether a request is answered also when all connections are taken: health. */
  isVital?(request: IncomingMessage): boolean;
  /**
   * Takes over what the service before on this listener has under way; it is disposed right after. Absent: nothing
   * outlives a new configuration but answers that are under way.
   */
  takeOver?(before: Service): void;
}
