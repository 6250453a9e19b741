import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Backend } from '../../backend/backend.ts';
import { hasUpstream, type Upstream } from '../../backend/vault/upstream.ts';
import type { Clock } from '../../base/clock.ts';
import { fail } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import type { ProxyConfig, ProxyListenConfig } from '../../config/config.ts';
import type { StreamedBody } from '../../http/forwarder.ts';
import type { HttpService } from '../http/http-service.ts';
import { nameOfListen } from '../http/listening.ts';
import { destroyUnlessSent } from '../http/reply.ts';
import { askUpstream } from './ask-upstream.ts';
import { clearCache } from './cache-clear.ts';
import { callerOf, firstLogin } from './caller.ts';
import type { UpstreamRequest } from './exchange.ts';
import { invalidationNeedsBody } from './invalidation.ts';
import {
  dropIncrement,
  isAboutOwnToken,
  mayHoldToken,
  mayNameLogin,
  refuseRevokingLogin,
  withoutToken,
} from './own-login.ts';
import { ownActionOf, quit } from './own-paths.ts';
import { type ProxyCache, shareCache } from './proxy-cache.ts';
import { ProxyCall } from './proxy-call.ts';
import { MAX_HELD, readSome } from './read-some.ts';
import { relay } from './relay.ts';
import { guardRequest, type ProxyRequest, readProxyRequest } from './request.ts';
import { type CacheResult, findStatic, throughCache } from './through-cache.ts';
import { bodyTooLong } from './vault-reply.ts';

export interface ProxyOptions {
  readonly proxy: ProxyConfig;
  /** The listener that it serves, one of `proxy.listeners`. */
  readonly listen: ProxyListenConfig;
  /** The configured backend; called once the configuration is in use. */
  readonly backend: () => Backend | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
  /** Ends the agent, see `ProxyConfig.quit`. */
  readonly stop: () => void;
}

/**
 * Lets clients of Vault or OpenBao reach the backend. A request is passed on as it is, with the agent's own token where
 * `useAutoAuthToken` says so, and the server's answer is passed back as it comes.
 */
export function createProxyService(options: ProxyOptions): HttpService {
  return new ProxyService(options);
}

/** The backend, once the configuration is in use. */
interface Opened {
  readonly upstream: Upstream;
  readonly cache: ProxyCache | undefined;
}

class ProxyService implements HttpService {
  readonly #options: ProxyOptions;
  readonly #where: string;
  readonly #opening = Promise.withResolvers<Opened>();
  #opened: Opened | undefined;
  #release: (() => void) | undefined;
  #isClosed = false;

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#where = nameOfListen(options.listen.where);
    this.#opening.promise.catch(() => {});
  }

  async start(): Promise<void> {
    try {
      this.#opened = await this.#open();
      this.#opening.resolve(this.#opened);
    } catch (error) {
      this.#opening.reject(error);
    }
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const { proxy, listen, clock, emit } = this.#options;
    const call = new ProxyCall(request, response, { clock, emit, backend: proxy.backend, where: this.#where });
    const refused = guardRequest(request, listen);
    const action = ownActionOf(request.url);
    if (refused !== undefined) call.refuse(refused);
    else if (action === 'quit') quit(call, proxy.quit, this.#options.stop);
    else if (action === 'clear') this.#clear(call).catch((error: unknown) => call.fail(error));
    else {
      const asked = readProxyRequest(request, proxy.rootNamespace);
      if ('failure' in asked) call.refuse(asked);
      else if (!this.#answerAtOnce(call, asked)) this.#pass(call, asked).catch((error: unknown) => call.fail(error));
    }
  }

  /** Requests that are under way are finished. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#opening.reject(fail('CANCELLED', 'proxy', 'the proxy was closed'));
    this.#release?.();
  }

  async #open(): Promise<Opened> {
    const { proxy, backend, clock, random, emit } = this.#options;
    const opened = backend();
    if (opened === undefined || !hasUpstream(opened)) {
      throw fail('INTERNAL', 'proxy', `the backend ${proxy.backend} has no server that a proxy can reach`);
    }
    const upstream = await opened.upstream();
    // The login begins before the first client connects, since readiness depends on it.
    if (proxy.useAutoAuthToken !== false && !this.#isClosed) upstream.session.start();
    if (proxy.cache === undefined || this.#isClosed) return { upstream, cache: undefined };
    const { cache, release } = shareCache({ upstream, backend: proxy.backend, clock, random, emit }, proxy.cache);
    this.#release = release;
    return { upstream, cache };
  }

  async #clear(call: ProxyCall): Promise<void> {
    await clearCache(call, (await this.#opening.promise).cache, this.#options.proxy.rootNamespace);
  }

  /** Answers from the static KV cache without waiting for anything. False: it cannot. */
  #answerAtOnce(call: ProxyCall, asked: ProxyRequest): boolean {
    const { upstream, cache } = this.#opened ?? {};
    if (upstream === undefined || cache === undefined) return false;
    const outgoing = this.#outgoing(asked, upstream, undefined);
    const found = findStatic(outgoing, upstream, cache);
    if (found !== undefined) this.#answer(call, found, cache);
    return found !== undefined;
  }

  async #pass(call: ProxyCall, asked: ProxyRequest): Promise<void> {
    const { clock } = this.#options;
    const { upstream, cache } = this.#opened ?? (await this.#opening.promise);
    if (isAboutOwnToken(asked) || mayNameLogin(asked)) await firstLogin(upstream, clock, call.stop);
    const given = this.#outgoing(asked, upstream, undefined);
    // A client may know the agent's token and send it as its own: that is the same login.
    const isLogin = isAboutOwnToken(asked) && (given.caller === 'own' || upstream.session.names(asked.token ?? ''));
    const refused = isLogin ? refuseRevokingLogin(asked) : undefined;
    if (refused !== undefined) return call.refuse(refused);
    const mustHold = mayNameLogin(asked) || (cache !== undefined && invalidationNeedsBody(asked));
    const body = await takeBody(call, asked, mustHold);
    if (body === 'too-long') return call.refuse(bodyTooLong());
    const outgoing = isLogin ? dropIncrement({ ...given, body }) : { ...given, body };
    const obtained =
      cache === undefined
        ? await askUpstream(call, upstream, clock, outgoing)
        : await throughCache(outgoing, { call, upstream, cache, clock });
    if ('kept' in obtained) this.#answer(call, obtained, cache);
    else if (!mayHoldToken(obtained, asked)) this.#answer(call, obtained, cache);
    else this.#answer(call, await withoutToken(obtained, upstream.place, call.stop), cache);
  }

  #outgoing(asked: ProxyRequest, { session }: Upstream, body: UpstreamRequest['body']): UpstreamRequest {
    const { useAutoAuthToken, useClientCertificate } = this.#options.proxy;
    const caller = callerOf(asked, useAutoAuthToken, () => session.view().isUsable);
    return { asked, caller, body, withCertificate: useClientCertificate };
  }

  #answer(call: ProxyCall, obtained: CacheResult, cache: ProxyCache | undefined): void {
    const { response } = call;
    if (!('kept' in obtained)) {
      relay(call, obtained, this.#options.clock, cache === undefined ? [] : MISS);
    } else if (!response.destroyed) {
      call.cache = 'hit';
      obtained.kept.send(response, obtained.ageMs);
      destroyUnlessSent(response);
    }
  }
}

const MISS = ['X-Cache', 'MISS'];

/** A short body as bytes, a longer one as a stream; `too-long` when a longer one must be held. */
async function takeBody(
  { stop }: ProxyCall,
  { request }: ProxyRequest,
  mustHold: boolean,
): Promise<Uint8Array | StreamedBody | undefined | 'too-long'> {
  const { headers } = request;
  const isChunked = headers['transfer-encoding'] !== undefined;
  if (!isChunked && headers['content-length'] === undefined) return undefined;
  const length = isChunked ? Number.NaN : Number(headers['content-length']);
  if (!mustHold && !(length <= MAX_HELD)) return isChunked ? { stream: request } : { stream: request, length };
  const { bytes, isWhole } = await readSome(request, MAX_HELD, stop);
  return isWhole ? bytes : 'too-long';
}
