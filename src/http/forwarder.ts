import type { Agent, ClientRequest, IncomingMessage, InformationEvent } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { deadline } from '../base/deadline.ts';
import { fail, type PannierError } from '../base/errors.ts';
import type { CallCancellation } from './call-cancellation.ts';
import { type Endpoint, type EndpointOptions, openEndpoint } from './endpoint.ts';
import { isReset, openRequest } from './exchange.ts';
import type { KeptConnection } from './kept-connection.ts';
import { loadHttp } from './node-http.ts';
import { type PlainAnswer, readPlainAnswer } from './plain-answer.ts';
import { Replay } from './replay.ts';
import { requestHead } from './request-head.ts';
import { isAboutClientCertificate, WireError, wireFailure } from './wire-error.ts';

/** A request of a client, sent on unchanged. */
export interface ForwardedRequest {
  readonly method: string;
  /** As the client sent it: begins with a slash, includes the query. The base path of the address is put before it. */
  readonly path: string;
  /** Name, value, name, value, …: the end-to-end headers; no Content-Length, no hop-by-hop header. */
  readonly headers: readonly string[];
  /** Absent: the request has no body. Bytes can be sent a second time, a stream cannot. */
  readonly body?: Uint8Array | StreamedBody;
  /**
   * Sends over a connection with the client certificate of `tls`. Absent or false: over a connection without it, since
   * the certificate alone may be a login.
   */
  readonly withCertificate?: boolean;
  /** Called for each 1xx answer except 100 and 101, before the final answer. */
  readonly onInformation?: (information: InformationEvent) => void;
}

export interface StreamedBody {
  readonly stream: Readable;
  /** In bytes; absent: not known before the stream ends. */
  readonly length?: number;
}

export interface ForwarderOptions extends Omit<EndpointOptions, 'maxConnections'> {
  /** The longest wait for a connection. */
  readonly connectMs: number;
  /** The longest wait from the end of the request's body to the beginning of the answer. */
  readonly answerMs: number;
}

/** The answer to a forwarded request: whole, or with a body that is still to be read. */
export type ForwardedAnswer = PlainAnswer | IncomingMessage;

/** Connections per pool: one per proxied request, and a local listener accepts at most this many requests at once. */
const MAX_FORWARDED = 576;

/**
 * Sends requests of clients on to one backend and streams both bodies: it keeps neither body, passes every status on,
 * and treats a redirect as an answer. It has its own connections, because a stream may last for hours and must not take
 * a connection from the agent's fetches.
 *
 * It repeats a request in one case, once: a kept-alive socket turned out dead before any byte of an answer came (see
 * `Transport`), and the request has no body or a body of bytes.
 */
export class Forwarder implements AsyncDisposable {
  /** For messages: no credentials, no trailing slash. */
  readonly address: string;
  readonly #options: ForwarderOptions;
  /** Connections without a client certificate; the same endpoint as `#certified` when none is configured. */
  readonly #plain: Endpoint;
  /** Connections with the client certificate of the configuration. */
  readonly #certified: Endpoint;

  /** @throws as `Transport` does. */
  constructor(options: ForwarderOptions) {
    this.#options = options;
    const { certFile, keyFile, bootstrap: _bootstrap, ...plain } = options.tls;
    this.#certified = openEndpoint({ ...options, maxConnections: MAX_FORWARDED, lends: true });
    this.#plain =
      certFile === undefined && keyFile === undefined
        ? this.#certified
        : openEndpoint({ ...options, tls: plain, maxConnections: MAX_FORWARDED, lends: true });
    this.address = this.#plain.address;
  }

  /**
   * Resolves with the head of the answer; the caller must read the body or destroy it, if it is not there already.
   * `stop` ends the request and the body.
   * @throws PannierError BACKEND_UNREACHABLE, BACKEND_TIMEOUT, BACKEND_TLS, BACKEND_MALFORMED, or the reason of `stop`.
   */
  async send(request: ForwardedRequest, stop: CallCancellation): Promise<ForwardedAnswer> {
    try {
      return await this.#once(request, stop);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const again = error.stale && (request.body === undefined || request.body instanceof Uint8Array);
      if (!again) throw this.#failure(error, request);
    }
    this.#endpointFor(request).pool.dropIdle();
    return await this.#once(request, stop).catch((error: unknown) => {
      throw error instanceof WireError ? this.#failure(error, request) : error;
    });
  }

  /** Closes all connections; requests under way fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#plain.pool.destroy();
    this.#certified.pool.destroy();
  }

  #endpointFor({ withCertificate = false }: ForwardedRequest): Endpoint {
    return withCertificate ? this.#certified : this.#plain;
  }

  async #once(request: ForwardedRequest, stop: CallCancellation): Promise<ForwardedAnswer> {
    const { target, base, pool } = this.#endpointFor(request);
    const found = pool.agentFor(target.kind === 'unix' ? 'http:' : target.protocol);
    const agent = found instanceof Promise ? await found : found;
    if (stop.reason !== undefined) throw stop.reason;
    const { method, headers, body } = request;
    const path = base + request.path;
    const isPlain = method !== 'HEAD' && (body === undefined || body instanceof Uint8Array);
    if (isPlain) {
      const head = requestHead(target, method, path, headers, body?.length);
      const kept = head === undefined ? undefined : pool.borrow(agent);
      if (head !== undefined && kept !== undefined) return await this.#overKept(kept, agent, head, request, stop);
    }
    const timeout = this.#options.connectMs + 1_000;
    const sent = openRequest(agent, target, { method, path, timeout });
    if (!isPlain) pool.leaveToClient(sent);
    return await this.#receive(sent, request, stop, write);
  }

  /**
   * Sends a request over a kept connection without Node's client, which takes more time than all else here. An answer
   * that is not all there in the plainest form is left to Node's client, with all that it knows of HTTP.
   */
  #overKept(
    kept: KeptConnection,
    agent: Agent,
    head: string,
    request: ForwardedRequest,
    stop: CallCancellation,
  ): Promise<ForwardedAnswer> {
    const { pool } = this.#endpointFor(request);
    return new Promise((resolve, reject) => {
      const leave = () => {
        cancelTimeout();
        unlisten();
      };
      const abandon = (reason: unknown) => {
        leave();
        kept.readBy(NOBODY);
        kept.socket.destroy();
        reject(reason);
      };
      // A reset before any byte of an answer: the server closed the idle connection while the request was written.
      const failed = (foreign: unknown) => abandon(new WireError(foreign, { stale: isReset(foreign), midway: false }));
      kept.readBy({
        take: (chunk) => {
          leave();
          const answer = readPlainAnswer(chunk);
          if (answer === undefined) resolve(this.#receiveRest(kept, agent, chunk, request, stop));
          else {
            pool.giveBack(agent, kept, answer.keepAlive);
            resolve(answer);
          }
        },
        ended: () => failed({ code: 'ECONNRESET' }),
        failed,
      });
      const cancelTimeout = this.#limitAnswer(abandon);
      const unlisten = stop.listen(() => abandon(stop.reason));
      kept.send(head, request.body as Uint8Array | undefined);
    });
  }

  /** Reads an answer whose first bytes have come by Node's client. */
  #receiveRest(
    kept: KeptConnection,
    agent: Agent,
    first: Buffer,
    request: ForwardedRequest,
    stop: CallCancellation,
  ): Promise<IncomingMessage> {
    const { pool } = this.#endpointFor(request);
    const replay = new Replay(kept, first);
    const { method } = request;
    const sent = loadHttp().request({ method, createConnection: () => replay });
    sent.shouldKeepAlive = true;
    // Node's client says so when the answer is complete, and neither side closes the connection.
    replay.once('free', () => {
      const { res } = sent as ClientRequest & { readonly res?: IncomingMessage };
      if (replay.release()) pool.giveBack(agent, kept, res?.headers['keep-alive']?.toString());
    });
    return this.#receive(sent, request, stop, (one) => one.end());
  }

  /** Resolves with the answer that Node's client gets. @param begin sends the request. */
  #receive(
    sent: ClientRequest,
    request: ForwardedRequest,
    stop: CallCancellation,
    begin: (sent: ClientRequest, request: ForwardedRequest) => void,
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      let socket: Socket | undefined;
      let readBefore = 0;
      let settled = false;
      const cancelTimeouts = this.#limitWaits(sent, (reason) => abandon(reason));
      const unlisten = stop.listen(() => abandon(stop.reason));

      const abandon = (reason: unknown) => {
        if (!settled) cancelTimeouts();
        settled = true;
        reject(reason);
        sent.destroy();
      };
      const connectionFailed = (foreign: unknown) => {
        if (settled) return;
        unlisten();
        const hasNoAnswer = socket === undefined || socket.bytesRead === readBefore;
        abandon(new WireError(foreign, { stale: sent.reusedSocket && hasNoAnswer && isReset(foreign), midway: false }));
      };
      sent.on('error', connectionFailed);
      sent.on('close', () => connectionFailed({ code: 'ECONNRESET' }));
      sent.on('socket', (assigned) => {
        socket = assigned;
        readBefore = assigned.bytesRead;
      });
      if (request.onInformation !== undefined) sent.on('information', request.onInformation);
      sent.on('response', (received) => {
        cancelTimeouts();
        settled = true;
        received.once('close', unlisten);
        resolve(received);
      });
      begin(sent, request);
    });
  }

  /** Calls `late` when no answer begins within `answerMs`. Returns how to cancel it. */
  #limitAnswer(late: (reason: PannierError) => void): () => void {
    const { clock, answerMs, place } = this.#options;
    return deadline(clock, answerMs, () => {
      late(fail('BACKEND_TIMEOUT', place, `no answer within ${answerMs} ms from ${this.address}`));
    });
  }

  /**
   * Calls `late` when no connection is there after `connectMs`, or no answer begins within `answerMs` of the last byte
   * sent. Returns a function that cancels both limits.
   */
  #limitWaits(sent: ClientRequest, late: (reason: PannierError) => void): () => void {
    const { clock, connectMs, place } = this.#options;
    let cancel = () => {};
    let isOver = false;
    sent.once('socket', (socket: Connecting) => {
      if (isOver || (!socket.connecting && socket.secureConnecting !== true)) return;
      const seen = `no connection within ${connectMs} ms from ${this.address}`;
      cancel = deadline(clock, connectMs, () => late(fail('BACKEND_TIMEOUT', place, seen)));
      socket.once(socket.secureConnecting === undefined ? 'connect' : 'secureConnect', () => cancel());
    });
    sent.once('finish', () => {
      cancel();
      if (!isOver) cancel = this.#limitAnswer(late);
    });
    return () => {
      isOver = true;
      cancel();
    };
  }

  #failure(error: WireError, request: ForwardedRequest): PannierError {
    const { place } = this.#options;
    const failed = wireFailure(error, { ...this.#plain, place });
    const isWithheld = this.#endpointFor(request) !== this.#certified && isAboutClientCertificate(error);
    return isWithheld ? fail(failed.failure.code, place, failed.failure.seen, { hint: WITHHELD_HINT }) : failed;
  }
}

const NOBODY = { take() {}, ended() {}, failed() {} };

const WITHHELD_HINT =
  'Requests through the proxy are sent without the client certificate of the agent. ' +
  'Set proxy.useClientCertificate: true to send them with it.';

/** `secureConnecting` is true during a TLS handshake; sockets without TLS do not have it. */
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
