import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * What answers HTTP requests. The listener keeps the caps on connections, headers and time; a service does the rest.
 */
export interface HttpService extends AsyncDisposable {
  /** See Service.start. */
  start?(): Promise<void>;
  /** Answers one request. Never throws. It must handle its own asynchronous errors. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Whether a request is answered also when all connections are taken: health. */
  isVital?(request: IncomingMessage): boolean;
  /**
   * Takes over what the service before on this listener has under way; it is disposed right after. Absent: nothing
   * outlives a new configuration but answers that are under way.
   */
  takeOver?(before: HttpService): void;
}
