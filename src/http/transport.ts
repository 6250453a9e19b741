import { tryMs } from '../base/backoff.ts';
import { deadline } from '../base/deadline.ts';
import { asFailure, fail, failure, PannierError } from '../base/errors.ts';
import { onAbort } from '../base/on-abort.ts';
import { endsMonoMsOf, type Urgency, urgencyOf } from '../base/urgency.ts';
import { CallCancellation } from './call-cancellation.ts';
import { Circuit, type CircuitDeps, type CircuitView, type Outcome } from './circuit.ts';
import { type Endpoint, type EndpointOptions, openEndpoint } from './endpoint.ts';
import { AnswerTooLarge, exchange, MAX_BODY_BYTES, type WireAnswer, type WireRequest } from './exchange.ts';
import { LargeBodies } from './large-bodies.ts';
import { MAX_REQUESTS, SPARE_REQUESTS } from './pool.ts';
import { RequestLimiter, type RequestLimits, type Slot } from './request-limiter.ts';
import { retryAfterMs } from './retry-after.ts';
import { type Target, tcpTarget } from './target.ts';
import { WireError, wireFailure } from './wire-error.ts';

export interface TransportOptions extends EndpointOptions {
  /**
   * The limit for one call in total: connecting, one redirect, one repetition, the body. Waiting for a slot does not
   * count. It is shorter for what ends soon, see `tryMs`.
   */
  readonly timeoutMs: number;
  /** Follows no redirect, since a signed request is good for one host. Absent or false: one redirect is followed. */
  readonly noRedirect?: boolean;
  /** Sends a request and returns the whole answer. Absent: over the pool of connections. */
  readonly exchange?: Exchange | undefined;
  /** Protects the backend, see `RequestLimiter`. Absent: only the number of requests at once is limited. */
  readonly protection?: Protection | undefined;
}

/** One exchange with the server. @throws WireError, AnswerTooLarge, or the reason of `stop`. */
export type Exchange = (request: WireRequest, stop: CallCancellation) => Promise<WireAnswer>;

/** What protects a backend from an agent, and from a fleet of them. */
export interface Protection extends Omit<CircuitDeps, 'clock'>, Pick<RequestLimits, 'rate' | 'notBeforeMonoMs'> {
  /** Whether an answer says that the backend has too much to do, beside the statuses that say so. Absent: none does. */
  readonly isOverload?: (answer: WireAnswer) => boolean;
}

/** One exchange of a call, with the redirect and the repetition that belong to it. */
export type Send = (request: WireRequest) => Promise<WireAnswer>;

export interface Turn {
  /** Which calls go first when not all can be sent. Absent: as the signal of the call says, see `urgencyOf`. */
  readonly urgency?: Urgency | undefined;
  /** Looks at the certificate files first, and uses no connection that was made with older ones. */
  readonly freshTls?: boolean;
  /** Configuration path, for errors. */
  readonly place: string;
  /** Path of the request, from which its mount is known before it is built. Absent: the backend has no mounts. */
  readonly path?: string | undefined;
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
  readonly #circuit: Circuit | undefined;
  readonly #limiter: RequestLimiter;
  readonly #large = new LargeBodies();
  readonly #closing = new AbortController();

  /** @throws as `openEndpoint` does. */
  constructor(options: TransportOptions) {
    this.#options = options;
    this.#endpoint = openEndpoint(options);
    this.address = this.#endpoint.address;
    const { clock, protection } = options;
    const { rate, notBeforeMonoMs } = protection ?? {};
    if (protection !== undefined) this.#circuit = new Circuit({ clock, ...protection });
    this.#limiter = new RequestLimiter({
      clock,
      count: MAX_REQUESTS,
      spare: SPARE_REQUESTS,
      circuit: this.#circuit,
      rate,
      notBeforeMonoMs,
    });
  }

  /** How the backend does, as far as requests have shown. Undefined: nothing protects it. */
  get circuit(): CircuitView | undefined {
    return this.#circuit?.view;
  }

  /**
   * Waits for a slot, then calls `work`, which sends. Build the request inside `work`: thousands of calls may wait at
   * once, and a call that waits should hold little memory.
   * @throws PannierError BACKEND_UNREACHABLE, BACKEND_TIMEOUT, BACKEND_TLS, BACKEND_MALFORMED, BACKEND_TOO_LARGE,
   * BACKEND_REDIRECT, or CANCELLED when `signal` aborts or the transport is disposed; what `work` throws; and, while
   * the circuit is open, what the last request failed for.
   */
  async run<T>(turn: Turn, signal: AbortSignal, work: (send: Send) => Promise<T>): Promise<T> {
    const { urgency = urgencyOf(signal), place, path, freshTls } = turn;
    const stop = new CallCancellation();
    const cancel = () => stop.stop(fail('CANCELLED', place, 'the call was cancelled'));
    const unlisten = onAbort(signal, cancel);
    const unlistenClosing = onAbort(this.#closing.signal, cancel);
    try {
      const slot = await this.#limiter.take(urgency, stop, place, path);
      try {
        if (freshTls) this.#endpoint.pool.lookAtFiles();
        const { clock, timeoutMs } = this.#options;
        const limitMs = tryMs(timeoutMs, endsMonoMsOf(signal) - clock.monoMs());
        return await this.#inTime(limitMs, stop, place, slot, work);
      } finally {
        slot.release();
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

  async #inTime<T>(
    limitMs: number,
    stop: CallCancellation,
    place: string,
    slot: Slot,
    work: (send: Send) => Promise<T>,
  ): Promise<T> {
    const cancel = deadline(this.#options.clock, limitMs, () => {
      const seen = `no whole answer within ${limitMs} ms from ${this.address}`;
      stop.stop(fail('BACKEND_TIMEOUT', place, seen));
    });
    const send: Send = async (request) => {
      const [path = ''] = request.path.split('?', 1);
      try {
        const answer = await this.#follow({ ...request, path: this.#endpoint.base + request.path }, stop, place);
        if (this.#circuit !== undefined) slot.report(path, this.#outcomeOf(answer, place));
        return answer;
      } catch (error) {
        const failed = this.#translate(error, place);
        const outcome = outcomeOfFailure(failed);
        if (outcome !== undefined) slot.report(path, outcome);
        throw failed;
      }
    };
    return await work(send).finally(cancel);
  }

  #outcomeOf(answer: WireAnswer, place: string): Outcome {
    const { status, headers } = answer;
    const isOverload = status === 429 || this.#options.protection?.isOverload?.(answer) === true;
    if (status < 500 && !isOverload) return { kind: 'answer' };
    const afterMs = retryAfterMs(headers['retry-after'], this.#options.clock.wallMs());
    const code = isOverload ? 'BACKEND_THROTTLED' : 'BACKEND_UNAVAILABLE';
    const seen = `HTTP ${status} from ${this.address} for the requests before this one`;
    return { kind: 'trouble', failure: failure(code, place, seen, { retryAfterMs: afterMs }) };
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
    if (this.#options.exchange !== undefined) return await this.#options.exchange(request, stop);
    const protocol = target.kind === 'unix' ? 'http:' : target.protocol;
    const { pool, mayTunnel } = this.#endpoint;
    const tunnelMs = mayTunnel ? this.#options.timeoutMs + 1000 : undefined;
    const run = async () => await exchange(await pool.agentFor(protocol), target, request, tunnelMs, stop, this.#large);
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

/** What a request without an answer says about its backend; undefined: nothing. */
function outcomeOfFailure({ failure: failed }: PannierError): Outcome | undefined {
  const { code } = failed;
  if (code === 'BACKEND_UNREACHABLE' || code === 'BACKEND_TLS') return { kind: 'down', failure: failed };
  if (code === 'BACKEND_TIMEOUT') return { kind: 'trouble', failure: failed };
  return code === 'BACKEND_TOO_LARGE' || code === 'BACKEND_REDIRECT' ? { kind: 'answer' } : undefined;
}
