import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import { asFailure, type Failure, fail } from '../../base/errors.ts';
import type { Emit, Fact } from '../../base/fact.ts';
import { CallCancellation } from '../../http/call-cancellation.ts';
import { hasBody } from '../http/routes.ts';
import { NoLogin } from './caller.ts';
import { describeRequest } from './told-call.ts';
import { type ProxyRefusal, refusalOf, sendRefusal } from './vault-reply.ts';

export interface ProxyCallDeps {
  readonly clock: Clock;
  readonly emit: Emit;
  /** Name of the backend, for facts. */
  readonly backend: string;
  /** Name of the listener, for facts. */
  readonly where: string;
}

/** One request and its answer. Its end is one fact, whatever the end is. */
export class ProxyCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Cancels the work for this request when the client has left. */
  readonly stop = new CallCancellation();
  cache: (Fact & { kind: 'proxy-answered' })['cache'] = 'off';
  #failed: Failure | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, deps: ProxyCallDeps) {
    this.request = request;
    this.response = response;
    const { clock, emit, backend, where } = deps;
    const startedMs = clock.monoMs();
    response.once('close', () => {
      if (!response.writableFinished) this.stop.stop(fail('CANCELLED', 'proxy', 'the client has left'));
      const failed = this.#failed ?? this.stop.reason?.failure;
      emit({
        kind: 'proxy-answered',
        backend,
        where,
        call: describeRequest(request.method ?? '', request.url ?? ''),
        status: response.headersSent ? response.statusCode : 0,
        cache: this.cache,
        durationMs: clock.monoMs() - startedMs,
        ...(failed === undefined ? {} : { failure: failed }),
      });
    });
  }

  /** Answers with a refusal. */
  refuse(refused: ProxyRefusal): void {
    this.#failed = refused.failure;
    this.leaveBody();
    sendRefusal(this.response, refused);
  }

  /** Lets the connection end with the answer if the request's body is not read to its end. Call it before answering. */
  leaveBody(): void {
    if (hasBody(this.request) && !this.request.complete) this.response.shouldKeepAlive = false;
  }

  /** Answers with an error of the agent, or breaks off an answer that has begun. */
  fail(error: unknown): void {
    const failed = asFailure(error, 'proxy');
    this.#failed = failed;
    if (this.response.headersSent) this.response.destroy();
    else this.refuse(error instanceof NoLogin ? { status: 503, failure: failed } : refusalOf(failed));
  }
}
