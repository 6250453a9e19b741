import type { IncomingMessage } from 'node:http';
import type { LiveLogin } from '../../backend/vault/auth/method.ts';
import type { StreamedBody } from '../../http/forwarder.ts';
import type { Caller } from './caller.ts';
import type { BodyStart } from './read-some.ts';
import type { ProxyRequest } from './request.ts';

/** A request on its way to the server. */
export interface UpstreamRequest {
  readonly asked: ProxyRequest;
  readonly caller: Caller;
  readonly body: Uint8Array | StreamedBody | undefined;
  /** With the client certificate of the backend. */
  readonly withCertificate: boolean;
}

/** The server's answer, perhaps with the beginning of its body read already. */
export interface UpstreamAnswer {
  readonly received: IncomingMessage;
  readonly some?: BodyStart;
  /** The agent's login that it was given to; absent for another caller. */
  readonly login: LiveLogin | undefined;
}
