import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Reply } from './reply.ts';

/**
 * A service that answers HTTP requests. The listener limits connections, headers and time; the service does the rest.
 */
export interface HttpService extends AsyncDisposable {
  /** See Service.start. */
  start?(): Promise<void>;
  /** Answers one request. Never throws. It must handle its own asynchronous errors. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Whether a request is answered even when all connections are taken, as health is. Absent: none is. */
  isVital?(request: IncomingMessage): boolean;
  /** The answer to a request that is not vital when all connections are taken. Absent: a problem with 429. */
  readonly busyReply?: Reply;
  /**
   * Takes over what the earlier service of this listener has under way; that service is disposed right after. Absent:
   * only answers that are under way outlive a new configuration.
   */
  takeOver?(before: HttpService): void;
}
