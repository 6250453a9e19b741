import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import { fail } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import type { StreamedBody } from '../../client/forwarder.ts';
import type { ProxyConfig, ProxyListenConfig } from '../../config/config.ts';
import type { Backend } from '../../source/source.ts';
import type { Upstream } from '../../source/upstream.ts';
import { nameOfListen } from '../http/listening.ts';
import type { Service } from '../http/service.ts';
import { askUpstream } from './ask-upstream.ts';
import { type Asked, readAsked } from './asked.ts';
import { callerOf } from './caller.ts';
import { sparesLife, sparesLogin, withoutToken } from './own-login.ts';
import { ProxyCall } from './proxy-call.ts';
import { readSome } from './read-some.ts';
import { relay } from './relay.ts';

export interface ProxyOptions {
  readonly proxy: ProxyConfig;
  /** The listener that it serves, one of `proxy.listeners`. */
  readonly listen: ProxyListenConfig;
  /** The configured backend, once the configuration is taken. */
  readonly backend: () => Backend | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
}

/**
 * Lets every client of Vault or OpenBao reach the backend: what it asks is passed on as it is, with the agent's own
 * token where `useAutoAuthToken` says so, and what the server answers is passed back as it comes.
 */
export function createProxyService(options: ProxyOptions): Service {
  return new ProxyService(options);
}

/** A body up to this length is held, so that its request can be made again. */
const MOST_HELD = 64 * 1024;

class ProxyService implements Service {
  readonly #options: ProxyOptions;
  readonly #where: string;
  readonly #opened = Promise.withResolvers<Upstream>();

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#where = nameOfListen(options.listen.where);
    this.#opened.promise.catch(() => {});
  }

  start(): void {
    const { proxy, backend } = this.#options;
    const opening = backend()?.upstream?.();
    if (opening !== undefined) this.#opened.resolve(opening);
    else this.#opened.reject(fail('INTERNAL', 'proxy', `${proxy.backend} is no backend with a server`));
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const { proxy, listen, clock, emit } = this.#options;
    const call = new ProxyCall(request, response, { clock, emit, backend: proxy.backend, where: this.#where });
    const asked = readAsked(request, listen);
    if ('failure' in asked) call.refuse(asked);
    else this.#pass(call, asked).catch((error: unknown) => call.fail(error));
  }

  /** Requests that are under way go on to their end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#opened.reject(fail('CANCELLED', 'proxy', 'the proxy was closed'));
  }

  async #pass(call: ProxyCall, asked: Asked): Promise<void> {
    const { proxy, clock } = this.#options;
    const upstream = await this.#opened.promise;
    const caller = callerOf(asked, proxy.useAutoAuthToken);
    const spared = caller === 'own' ? sparesLogin(asked) : undefined;
    if (spared !== undefined) return call.refuse(spared);
    const outgoing = { asked, caller, body: await takeBody(call, asked) };
    const answer = await askUpstream(call, upstream, clock, caller === 'own' ? sparesLife(outgoing) : outgoing);
    relay(call, await withoutToken(answer, asked, upstream.place, call.stop), clock);
  }
}

/** A short body as bytes, a longer one as a stream. */
async function takeBody({ stop }: ProxyCall, { request }: Asked): Promise<Uint8Array | StreamedBody | undefined> {
  const { headers } = request;
  if (headers['transfer-encoding'] !== undefined) return { stream: request };
  if (headers['content-length'] === undefined) return undefined;
  const length = Number(headers['content-length']);
  if (length > MOST_HELD) return { stream: request, length };
  return (await readSome(request, MOST_HELD, stop)).bytes;
}
