import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import { asFailure, type Failure, fail } from '../../base/errors.ts';
import type { Emit, Fact } from '../../base/fact.ts';
import { CallCancellation } from '../../http/call-cancellation.ts';
import { NoLogin } from './caller.ts';
import { toldRequest } from './told-call.ts';
import { type ProxyRefusal, refusalOf, sendRefusal } from './vault-reply.ts';

export interface ProxyCallDeps {
  readonly clock: Clock;
  readonly emit: Emit;
  /** Name of the backend, for facts. */
  readonly backend: string;
  /** Name of the listener, for facts. */
  readonly where: string;
}

/** One request and its answer. Its end is told once, however it comes. */
export class ProxyCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Ends everything that is done for it: the client has left. */
  readonly stop = new CallCancellation();
  cache: (Fact & { kind: 'proxy-answered' })['cache'] = 'off';
  #failed: Failure | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, parts: ProxyCallDeps) {
    this.request = request;
    this.response = response;
    const { clock, emit, backend, where } = parts;
    const startedMs = clock.monoMs();
    response.once('close', () => {
      if (!response.writableFinished) this.stop.stop(fail('CANCELLED', 'proxy', 'the client has left'));
      const failed = this.#failed ?? this.stop.reason?.failure;
      emit({
        kind: 'proxy-answered',
        backend,
        where,
        call: toldRequest(request.method ?? '', request.url ?? ''),
        status: response.headersSent ? response.statusCode : 0,
        cache: this.cache,
        durationMs: clock.monoMs() - startedMs,
        ...(failed === undefined ? {} : { failure: failed }),
      });
    });
  }

  refuse(refused: ProxyRefusal): void {
    this.#failed = refused.failure;
    this.leaveBody();
    sendRefusal(this.response, refused);
  }

  /** To be called before an answer to a request whose body may not be read to its end: the connection ends with it. */
  leaveBody(): void {
    const { complete, headers } = this.request;
    const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
    if (hasBody && !complete) this.response.shouldKeepAlive = false;
  }

  /** Answers with an error of ours, or breaks off an answer that has begun. */
  fail(error: unknown): void {
    const failed = asFailure(error, 'proxy');
    this.#failed = failed;
    if (this.response.headersSent) this.response.destroy();
    else this.refuse(error instanceof NoLogin ? { status: 503, failure: failed } : refusalOf(failed));
  }
}
