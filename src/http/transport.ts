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
  /**
   * The limit for one call in total: connecting, one redirect, one repetition, the body. Waiting for a slot does not
   * count.
   */
  readonly timeoutMs: number;
  /** Follows no redirect, since a signed request is good for one host. Absent or false: one redirect is followed. */
  readonly noRedirect?: boolean;
}

/** One exchange of a call, with the redirect and the repetition that belong to it. */
export type Send = (request: WireRequest) => Promise<WireAnswer>;

export interface Turn {
  /** The call goes before calls that are not urgent when all connections are busy. */
  readonly urgent: boolean;
  /** Looks at the certificate files first, and uses no connection that was made with older ones. */
  readonly freshTls?: boolean;
  /** Configuration path, for errors. */
  readonly place: string;
}

const REDIRECTS = new Set([301, 302, 307, 308]);

/**
 * HTTP/1.1 to one backend over one pool of connections. It returns whole answers of any status; the caller decides what
 * a status means.
 *
 * Two things are done without the caller, each once and within the deadline:
 * - A request is sent again when its kept-alive socket had been closed by the server. It got no byte of an answer, and
 *   only a server that closed the socket in the same instant may have seen it.
 * - A redirect is followed as Vault's own client does (`rawRequestWithContext` in its api/client.go): one hop, to any
 *   host, with method, body and token kept, since standby nodes redirect to the active one; never from https to http.
 *
 * Anything else that is worth another try is left to the caller's backoff.
 */
export class Transport implements AsyncDisposable {
  /** For messages: no credentials, no trailing slash. */
  readonly address: string;
  readonly #options: TransportOptions;
  readonly #endpoint: Endpoint;
  readonly #limiter = new RequestLimiter(MAX_CONNECTIONS);
  readonly #closing = new AbortController();

  /** @throws as `openEndpoint` does. */
  constructor(options: TransportOptions) {
    this.#options = options;
    this.#endpoint = openEndpoint(options);
    this.address = this.#endpoint.address;
  }

  /**
   * Waits for a slot, then calls `work`, which sends. Build the request inside `work`: thousands of calls may wait at
   * once, and a call that waits should hold little memory.
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
      const release = await this.#limiter.take(urgent, stop);
      try {
        if (freshTls) this.#endpoint.pool.lookAtFiles();
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
    this.#endpoint.pool.destroy();
  }

  async #inTime<T>(stop: CallCancellation, place: string, work: (send: Send) => Promise<T>): Promise<T> {
    const { clock, timeoutMs } = this.#options;
    const cancel = deadline(clock, timeoutMs, () => {
      const seen = `no whole answer within ${timeoutMs} ms from ${this.address}`;
      stop.stop(fail('BACKEND_TIMEOUT', place, seen));
    });
    const send: Send = async (request) => {
      try {
        return await this.#follow({ ...request, path: this.#endpoint.base + request.path }, stop, place);
      } catch (error) {
        throw this.#translate(error, place);
      }
    };
    return await work(send).finally(cancel);
  }

  async #follow(request: WireRequest, stop: CallCancellation, place: string): Promise<WireAnswer> {
    const answer = await this.#once(this.#endpoint.target, request, stop);
    if (answer.status < 300 || answer.status > 399) return answer;
    if (this.#options.noRedirect === true) throw this.#notFollowed(`HTTP ${answer.status}`, place);
    const hop = this.#hop(answer, request.path, place);
    const next = await this.#once(hop.target, { ...request, path: hop.path }, stop);
    if (next.status < 300 || next.status > 399) return next;
    throw this.#notFollowed('a second redirect', place);
  }

  /** Sends the request, and once more when the kept-alive socket turned out dead. */
  async #once(target: Target, request: WireRequest, stop: CallCancellation): Promise<WireAnswer> {
    const protocol = target.kind === 'unix' ? 'http:' : target.protocol;
    const { pool, mayTunnel } = this.#endpoint;
    const tunnelMs = mayTunnel ? this.#options.timeoutMs + 1000 : undefined;
    const run = async () => await exchange(await pool.agentFor(protocol), target, request, tunnelMs, stop);
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof WireError && error.stale)) throw error;
      pool.dropIdle();
      return await run();
    }
  }

  #hop({ status, headers }: WireAnswer, path: string, place: string): { target: Target; path: string } {
    const from = this.#endpoint.target;
    const { location } = headers;
    if (!REDIRECTS.has(status) || location === undefined) throw this.#notFollowed(`HTTP ${status}`, place);
    if (from.kind === 'unix') throw this.#notFollowed(`HTTP ${status} over a unix socket`, place);
    const host = from.host.includes(':') ? `[${from.host}]` : from.host;
    const to = URL.parse(location, `${from.protocol}//${host}:${from.port}${path}`);
    if (to === null || (to.protocol !== 'http:' && to.protocol !== 'https:')) {
      throw this.#notFollowed(`HTTP ${status} to an address that is not http or https`, place);
    }
    if (from.protocol === 'https:' && to.protocol === 'http:') {
      throw this.#notFollowed(`HTTP ${status} from https to http`, place);
    }
    return { target: tcpTarget(to), path: to.pathname + to.search };
  }

  #notFollowed(what: string, place: string): PannierError {
    return fail('BACKEND_REDIRECT', place, `${this.address} answered with ${what}, which is not followed`);
  }

  #translate(error: unknown, place: string): PannierError {
    if (error instanceof WireError) return wireFailure(error, { ...this.#endpoint, place });
    if (error instanceof AnswerTooLarge) {
      const seen = `the answer from ${this.address} is larger than ${MAX_BODY_BYTES / 2 ** 20} MiB`;
      return fail('BACKEND_TOO_LARGE', place, seen);
    }
    return error instanceof PannierError ? error : new PannierError(asFailure(error, place));
  }
}
