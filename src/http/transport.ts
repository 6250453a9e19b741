import { deadline } from '../base/deadline.ts';
import { asFailure, fail, PannierError } from '../base/errors.ts';
import { onAbort } from '../base/on-abort.ts';
import { CallCancellation } from './call-cancellation.ts';
import { type Endpoint, type EndpointOptions, openEndpoint } from './endpoint.ts';
import { AnswerTooLarge, exchange, MAX_BODY_BYTES, type WireAnswer, type WireRequest } from './exchange.ts';
import { MAX_CONNECTIONS } from './pool.ts';
import { RequestLimiter } from './request-limiter.ts';
import { type Target, tcpTarget } from './target.ts';
import { WireError, wireFailure } from './wire-error.ts';

export interface TransportOptions extends EndpointOptions {
  /** One request in total: connecting, one redirect, one sending again, the body. Waiting for a slot does not count. */
  readonly timeoutMs: number;
  /** Follows none, since a request is signed for one host; absent: one is followed. */
  readonly noRedirect?: boolean;
}

/** What a call may do in its turn: one exchange, its redirect and its sending again included. */
export type Send = (request: WireRequest) => Promise<WireAnswer>;

export interface Turn {
  /** Goes before the others when all connections are busy. */
  readonly urgent: boolean;
  /** Sends over no connection that was made with older certificate files than those of now. */
  readonly freshTls?: boolean;
  /** Configuration path, for errors. */
  readonly place: string;
}

const REDIRECTS = new Set([301, 302, 307, 308]);

/**
 * HTTP/1.1 to one backend over one pool of connections. Gives back whole answers of any status; what a status means is
 * the caller's.
 *
 * Two things happen by themselves, both once and within the deadline. A request that met a kept-alive socket which the
 * server had closed is sent again: it got no byte of an answer, and only a server which closes in the same instant may
 * have seen it. A redirect is followed as Vault's own client does (`rawRequestWithContext` in its api/client.go): one
 * hop, to any host, with method, body and token kept, since standby nodes point at the active one; never from https to
 * http. Everything else is the caller's backoff.
 */
export class Transport implements AsyncDisposable {
  /** For messages: no credentials, no trailing slash. */
  readonly address: string;
  readonly #options: TransportOptions;
  readonly #way: Endpoint;
  readonly #slots = new RequestLimiter(MAX_CONNECTIONS);
  readonly #closing = new AbortController();

  /**
   * @throws PannierError CONFIG_INVALID for an address of another form; BACKEND_UNREACHABLE for a proxy that is none.
   */
  constructor(options: TransportOptions) {
    this.#options = options;
    this.#way = openEndpoint(options);
    this.address = this.#way.address;
  }

  /**
   * Waits for one of the connections, then lets `work` send. What a request is made of is best made in there: thousands
   * of calls may wait, and each waits with little.
   * @throws PannierError BACKEND_UNREACHABLE, BACKEND_TIMEOUT, BACKEND_TLS, BACKEND_MALFORMED, BACKEND_TOO_LARGE,
   * BACKEND_REDIRECT, or CANCELLED when `signal` aborts or the transport is disposed; and what `work` throws.
   */
  async run<T>(turn: Turn, signal: AbortSignal, work: (send: Send) => Promise<T>): Promise<T> {
    const { urgent, place, freshTls } = turn;
    const stop = new CallCancellation();
    const cancel = () => stop.stop(fail('CANCELLED', place, 'the call was cancelled'));
    const unlisten = onAbort(signal, cancel);
    const unlistenClosing = onAbort(this.#closing.signal, cancel);
    try {
      const release = await this.#slots.take(urgent, stop);
      try {
        if (freshTls) this.#way.pool.lookAtFiles();
        return await this.#inTime(stop, place, work);
      } finally {
        release();
      }
    } finally {
      unlisten();
      unlistenClosing();
    }
  }

  /** Ends all calls with CANCELLED and closes all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#way.pool.destroy();
  }

  async #inTime<T>(stop: CallCancellation, place: string, work: (send: Send) => Promise<T>): Promise<T> {
    const { clock, timeoutMs } = this.#options;
    const cancel = deadline(clock, timeoutMs, () => {
      const seen = `no whole answer within ${timeoutMs} ms from ${this.address}`;
      stop.stop(fail('BACKEND_TIMEOUT', place, seen));
    });
    const send: Send = async (request) => {
      try {
        return await this.#follow({ ...request, path: this.#way.base + request.path }, stop, place);
      } catch (error) {
        throw this.#translate(error, place);
      }
    };
    return await work(send).finally(cancel);
  }

  async #follow(request: WireRequest, stop: CallCancellation, place: string): Promise<WireAnswer> {
    const answer = await this.#once(this.#way.target, request, stop);
    if (answer.status < 300 || answer.status > 399) return answer;
    if (this.#options.noRedirect === true) throw this.#notFollowed(`HTTP ${answer.status}`, place);
    const hop = this.#hop(answer, request.path, place);
    const next = await this.#once(hop.target, { ...request, path: hop.path }, stop);
    if (next.status < 300 || next.status > 399) return next;
    throw this.#notFollowed('a second redirect', place);
  }

  /** Sends it, and once more when a kept-alive socket turned out dead. */
  async #once(target: Target, request: WireRequest, stop: CallCancellation): Promise<WireAnswer> {
    const protocol = target.kind === 'unix' ? 'http:' : target.protocol;
    const tunnelMs = this.#options.timeoutMs + 1000;
    const run = async () => await exchange(await this.#way.pool.agentFor(protocol), target, request, tunnelMs, stop);
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof WireError && error.stale)) throw error;
      this.#way.pool.dropIdle();
      return await run();
    }
  }

  #hop({ status, headers }: WireAnswer, path: string, place: string): { target: Target; path: string } {
    const from = this.#way.target;
    const { location } = headers;
    if (!REDIRECTS.has(status) || location === undefined) throw this.#notFollowed(`HTTP ${status}`, place);
    if (from.kind === 'unix') throw this.#notFollowed(`HTTP ${status} from a unix socket`, place);
    const host = from.host.includes(':') ? `[${from.host}]` : from.host;
    const to = URL.parse(location, `${from.protocol}//${host}:${from.port}${path}`);
    if (to === null || (to.protocol !== 'http:' && to.protocol !== 'https:')) {
      throw this.#notFollowed(`HTTP ${status} to no http address`, place);
    }
    if (from.protocol === 'https:' && to.protocol === 'http:') {
      throw this.#notFollowed(`HTTP ${status} from https to http`, place);
    }
    return { target: tcpTarget(to), path: to.pathname + to.search };
  }

  #notFollowed(what: string, place: string): PannierError {
    return fail('BACKEND_REDIRECT', place, `${what} is not followed, from ${this.address}`);
  }

  #translate(error: unknown, place: string): PannierError {
    if (error instanceof WireError) return wireFailure(error, { ...this.#way, place });
    if (error instanceof AnswerTooLarge) {
      return fail('BACKEND_TOO_LARGE', place, `more than ${MAX_BODY_BYTES / 2 ** 20} MiB from ${this.address}`);
    }
    return error instanceof PannierError ? error : new PannierError(asFailure(error, place));
  }
}
