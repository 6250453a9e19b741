import type { RequestLogin } from '../../backend/vault/auth/method.ts';
import type { ForwardedAnswer, StreamedBody } from '../../http/forwarder.ts';
import type { Caller } from './caller.ts';
import type { BodyStart } from './read-some.ts';
import type { ProxyRequest } from './request.ts';

/** A request on its way to the server. */
export interface UpstreamRequest {
  readonly asked: ProxyRequest;
  readonly caller: Caller;
  /** Undefined: the request has no body. */
  readonly body: Uint8Array | StreamedBody | undefined;
  /** Whether the connection uses the client certificate of the backend. */
  readonly withCertificate: boolean;
}

/** The server's answer. */
export interface UpstreamAnswer {
  readonly received: ForwardedAnswer;
  /** The beginning of the body, when it has been read already. */
  readonly some?: BodyStart;
  /** The agent's login that the request was sent under; undefined for another caller. */
  readonly login: RequestLogin | undefined;
}
