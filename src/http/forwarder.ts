import type { ClientRequest, IncomingMessage, InformationEvent } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { deadline } from '../base/deadline.ts';
import { fail, type PannierError } from '../base/errors.ts';
import type { CallCancellation } from './call-cancellation.ts';
import { type Endpoint, type EndpointOptions, openEndpoint } from './endpoint.ts';
import { openRequest } from './exchange.ts';
import { isAboutClientCertificate, WireError, wireFailure } from './wire-error.ts';

/** Somebody else's request, sent on as it is. */
export interface ForwardedRequest {
  readonly method: string;
  /** As it came, from the slash on, with its query; the base path of the address is put before it. */
  readonly path: string;
  /** Name, value, name, value, …: what is meant for the server, without lengths and without what belongs to a hop. */
  readonly headers: readonly string[];
  /** Absent: there is none. Bytes can be sent again, a stream cannot. */
  readonly body?: Uint8Array | StreamedBody;
  /** Over a connection with the client certificate of `tls`; absent: over one without, since it may be a login. */
  readonly withCertificate?: boolean;
  /** Told of every answer of 1xx but 100 and 101, before the answer proper. */
  readonly onInformation?: (information: InformationEvent) => void;
}

export interface StreamedBody {
  readonly stream: Readable;
  /** Bytes; absent: not known before its end. */
  readonly length?: number;
}

export interface ForwarderOptions extends Omit<EndpointOptions, 'maxConnections'> {
  /** To get a connection. */
  readonly connectMs: number;
  /** From the end of the request's body to the beginning of the answer. */
  readonly answerMs: number;
}

/** One proxied request holds one connection, and a local listener takes no more than these with its spare ones. */
const MAX_FORWARDED = 576;

/**
 * Sends requests of others to one backend, streaming both ways: neither body is held, no status means anything, and a
 * redirect is an answer. It has connections of its own, since a stream may stay for hours and must keep no slot from
 * the agent's fetches.
 *
 * One thing happens by itself: a request without a body, or with one that is there as bytes, is sent again once when a
 * kept-alive socket turned out dead before any byte of an answer (see `Transport`).
 */
export class Forwarder implements AsyncDisposable {
  /** For messages: no credentials, no trailing slash. */
  readonly address: string;
  readonly #options: ForwarderOptions;
  /** Of connections without a client certificate, and of those with one: a connection is never used for both. */
  readonly #plain: Endpoint;
  readonly #certified: Endpoint;

  /** @throws as `Transport` does. */
  constructor(options: ForwarderOptions) {
    this.#options = options;
    const { certFile, keyFile, ...plain } = options.tls;
    this.#certified = openEndpoint({ ...options, maxConnections: MAX_FORWARDED });
    this.#plain =
      certFile === undefined && keyFile === undefined
        ? this.#certified
        : openEndpoint({ ...options, tls: plain, maxConnections: MAX_FORWARDED });
    this.address = this.#plain.address;
  }

  /**
   * Resolves with the head of the answer; its body is to be read, or destroyed. `stop` ends it all, also the body.
   * @throws PannierError BACKEND_UNREACHABLE, BACKEND_TIMEOUT, BACKEND_TLS, BACKEND_MALFORMED, or the reason of `stop`.
   */
  async send(request: ForwardedRequest, stop: CallCancellation): Promise<IncomingMessage> {
    try {
      return await this.#once(request, stop);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const again = error.stale && (request.body === undefined || request.body instanceof Uint8Array);
      if (!again) throw this.#failure(error, request);
    }
    this.#wayOf(request).pool.dropIdle();
    return await this.#once(request, stop).catch((error: unknown) => {
      throw error instanceof WireError ? this.#failure(error, request) : error;
    });
  }

  /** Closes all connections: what is under way breaks off. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#plain.pool.destroy();
    this.#certified.pool.destroy();
  }

  #wayOf({ withCertificate = false }: ForwardedRequest): Endpoint {
    return withCertificate ? this.#certified : this.#plain;
  }

  async #once(request: ForwardedRequest, stop: CallCancellation): Promise<IncomingMessage> {
    const { target, base, pool } = this.#wayOf(request);
    const agent = await pool.agentFor(target.kind === 'unix' ? 'http:' : target.protocol);
    return await new Promise((resolve, reject) => {
      if (stop.reason !== undefined) return reject(stop.reason);
      const { method } = request;
      const timeout = this.#options.connectMs + 1_000;
      const sent = openRequest(agent, target, { method, path: base + request.path, timeout });
      let socket: Socket | undefined;
      let readBefore = 0;
      let settled = false;
      const callOffLate = this.#inTime(sent, (reason) => lose(reason));
      const forget = stop.listen(() => lose(stop.reason));

      const lose = (reason: unknown) => {
        if (!settled) callOffLate();
        settled = true;
        reject(reason);
        sent.destroy();
      };
      const broken = (foreign: unknown) => {
        if (settled) return;
        forget();
        const silent = socket === undefined || socket.bytesRead === readBefore;
        const reset = ['ECONNRESET', 'EPIPE'].includes(String((foreign as { code?: unknown })?.code));
        lose(new WireError(foreign, { stale: sent.reusedSocket && silent && reset, midway: false }));
      };
      sent.on('error', broken);
      sent.on('close', () => broken({ code: 'ECONNRESET' }));
      sent.on('socket', (assigned) => {
        socket = assigned;
        readBefore = assigned.bytesRead;
      });
      if (request.onInformation !== undefined) sent.on('information', request.onInformation);
      sent.on('response', (received) => {
        callOffLate();
        settled = true;
        received.once('close', forget);
        resolve(received);
      });
      write(sent, request);
    });
  }

  /** A connection in time, then an answer in time after the last byte was sent; returns how to call both off. */
  #inTime(sent: ClientRequest, late: (reason: PannierError) => void): () => void {
    const { clock, connectMs, answerMs, place } = this.#options;
    let cancel = () => {};
    let isOver = false;
    const wait = (ms: number, what: string) => {
      const seen = `no ${what} within ${ms} ms from ${this.address}`;
      cancel = deadline(clock, ms, () => late(fail('BACKEND_TIMEOUT', place, seen)));
    };
    sent.once('socket', (socket: Connecting) => {
      if (isOver || (!socket.connecting && socket.secureConnecting !== true)) return;
      wait(connectMs, 'connection');
      socket.once(socket.secureConnecting === undefined ? 'connect' : 'secureConnect', () => cancel());
    });
    sent.once('finish', () => {
      cancel();
      if (!isOver) wait(answerMs, 'answer');
    });
    return () => {
      isOver = true;
      cancel();
    };
  }

  #failure(error: WireError, request: ForwardedRequest): PannierError {
    const { place } = this.#options;
    const failed = wireFailure(error, { ...this.#plain, place });
    const isWithheld = this.#wayOf(request) !== this.#certified && isAboutClientCertificate(error);
    return isWithheld ? fail(failed.failure.code, place, failed.failure.seen, { hint: WITHHELD_HINT }) : failed;
  }
}

const WITHHELD_HINT =
  "Requests of others go without the agent's client certificate. Set proxy.useClientCertificate: true to lend it to them.";

/** Of TLS it says whether its handshake is still on; others do not have it. */
type Connecting = Socket & { readonly secureConnecting?: boolean };

function write(sent: ClientRequest, { headers, body }: ForwardedRequest): void {
  for (let i = 0; i < headers.length; i += 2) sent.appendHeader(headers[i] as string, headers[i + 1] as string);
  if (body === undefined) sent.end();
  else if (body instanceof Uint8Array) {
    sent.setHeader('Content-Length', body.length);
    sent.end(body);
  } else {
    if (body.length === undefined) sent.setHeader('Transfer-Encoding', 'chunked');
    else sent.setHeader('Content-Length', body.length);
    body.stream.pipe(sent);
  }
}
