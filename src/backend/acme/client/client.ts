import type { KeyObject } from 'node:crypto';
import { asFailure, fail } from '../../../base/errors.ts';
import { onAbort } from '../../../base/on-abort.ts';
import { SingleFlight } from '../../../base/single-flight.ts';
import type { WireAnswer, WireRequest } from '../../../http/exchange.ts';
import { Transport } from '../../../http/transport.ts';
import type { BackendContext } from '../../context.ts';
import type { AcmeBackendConfig } from '../config/config.ts';
import { publicJwk, signRequest } from './jws.ts';
import { type AcmeProblem, noAcme, problemOf, readJson } from './problem.ts';

/** The URLs of a server (RFC 8555, section 7.1.1), and what it says about itself. */
export interface Directory {
  readonly newNonce: string;
  readonly newAccount: string;
  readonly newOrder: string;
  /** RFC 9773. */
  readonly renewalInfo?: string;
  readonly termsOfService?: string;
  readonly externalAccountRequired: boolean;
  /** The names of the kinds of certificates that it offers; absent: it says nothing of them. */
  readonly profiles?: readonly string[];
}

/** Who signs a request: the account by its URL, or before there is one its key. */
export interface Signer {
  readonly key: KeyObject;
  readonly kid?: string;
}

/** One request; `operation` names it in logs and metrics, and `place` in errors. */
export interface AcmeCall {
  readonly url: string;
  readonly operation: string;
  readonly place: string;
}

export interface AcmeAnswer {
  readonly headers: WireAnswer['headers'];
  readonly body: Uint8Array;
  /** The body as JSON; undefined when it is none. */
  readonly json: unknown;
}

const DIRECTORY_MS = 3_600_000;
/** A nonce is refused when it is old; servers refuse some good ones too, so that clients learn to try again. */
const MAX_NONCE_TRIES = 8;
const MAX_NONCES = 16;

/**
 * Speaks to one ACME server. All URLs but that of the directory come from the server, so they must be https when that
 * one is, and each host gets a `Transport` of its own.
 */
export class AcmeClient implements AsyncDisposable {
  readonly #config: AcmeBackendConfig;
  readonly #context: BackendContext;
  readonly #transports = new Map<string, Transport>();
  readonly #flights = new SingleFlight<'directory', Directory>();
  readonly #stop = new AbortController();
  readonly #nonces: string[] = [];
  #directory: { readonly atMonoMs: number; readonly value: Directory } | undefined;

  constructor(config: AcmeBackendConfig, context: BackendContext) {
    this.#config = config;
    this.#context = context;
    this.#transportOf(config.address, `backends.${config.name}`); // refuses wrong proxy variables at once
  }

  /** @throws PannierError of the transport, BACKEND_MALFORMED for what is no directory. */
  async directory(place: string, signal: AbortSignal): Promise<Directory> {
    const known = this.#directory;
    if (known !== undefined && this.#context.clock.monoMs() - known.atMonoMs < DIRECTORY_MS) return known.value;
    return await until(
      this.#flights.run('directory', () => this.#readDirectory(`backends.${this.#config.name}`)),
      signal,
      place,
    );
  }

  /** A GET without an account. */
  async get(call: AcmeCall, signal: AbortSignal): Promise<AcmeAnswer> {
    return this.#checked(await this.#send('GET', call, undefined, signal), call);
  }

  /**
   * A signed POST; without `payload` it reads.
   * @throws AcmeProblem when the server refuses it; PannierError of the transport.
   */
  async post(call: AcmeCall, signer: Signer, payload: object | undefined, signal: AbortSignal): Promise<AcmeAnswer> {
    const { key, kid } = signer;
    for (let tries = 1; ; tries++) {
      const nonce = this.#nonces.pop() ?? (await this.#newNonce(call.place, signal));
      const who = kid === undefined ? { jwk: publicJwk(key) } : { kid };
      const body = Buffer.from(JSON.stringify(signRequest(key, { ...who, nonce, url: call.url }, payload)));
      try {
        return this.#checked(await this.#send('POST', call, body, signal), call);
      } catch (error) {
        if ((error as Partial<AcmeProblem>).type !== 'badNonce' || tries >= MAX_NONCE_TRIES) throw error;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all([...this.#transports.values()].map((one) => one[Symbol.asyncDispose]()));
  }

  async #readDirectory(place: string): Promise<Directory> {
    const { address } = this.#config;
    const { json } = await this.get({ url: address, operation: 'Directory', place }, this.#stop.signal);
    const value = directoryIn(json);
    if (value === undefined) throw noAcme(place, `${address} is no directory of an ACME server`);
    this.#directory = { atMonoMs: this.#context.clock.monoMs(), value };
    return value;
  }

  async #newNonce(place: string, signal: AbortSignal): Promise<string> {
    const { newNonce: url } = await this.directory(place, signal);
    const call = { url, operation: 'NewNonce', place };
    this.#checked(await this.#send('HEAD', call, undefined, signal), call);
    const nonce = this.#nonces.pop();
    const hint = 'A mount of OpenBao or Vault must let the header Replay-Nonce through; see docs/acme.md.';
    if (nonce === undefined) throw fail('BACKEND_MALFORMED', place, `${url} gave no Replay-Nonce`, { hint });
    return nonce;
  }

  #checked(answer: WireAnswer, { url, place }: AcmeCall): AcmeAnswer {
    const { status, headers, body } = answer;
    if (status >= 200 && status < 300) return { headers, body, json: readJson(body) };
    throw problemOf(answer, { place, address: originOf(url), nowMs: this.#context.clock.wallMs() });
  }

  async #send(
    method: WireRequest['method'],
    { url, operation, place }: AcmeCall,
    body: Uint8Array | undefined,
    signal: AbortSignal,
  ): Promise<WireAnswer> {
    const { clock, emit, version } = this.#context;
    const transport = this.#transportOf(url, place);
    const { pathname, search } = new URL(url);
    const headers = {
      'User-Agent': `pannier/${version}`,
      ...(body === undefined ? {} : { 'Content-Type': 'application/jose+json' }),
    };
    const about = { backend: this.#config.name, call: `acme ${operation}` };
    const startedMs = clock.monoMs();
    const lasted = () => clock.monoMs() - startedMs;
    try {
      const answer = await transport.run({ place }, signal, (send) =>
        send({ method, path: `${pathname}${search}`, headers, ...(body === undefined ? {} : { body }) }),
      );
      const { 'replay-nonce': nonce } = answer.headers;
      if (nonce !== undefined && this.#nonces.length < MAX_NONCES) this.#nonces.push(nonce);
      emit({ kind: 'backend-answered', ...about, status: answer.status, durationMs: lasted() });
      return answer;
    } catch (error) {
      const failed = asFailure(error, place);
      if (failed.code !== 'CANCELLED') {
        emit({ kind: 'backend-failed', ...about, failure: failed, durationMs: lasted() });
      }
      throw error;
    }
  }

  /** @throws PannierError BACKEND_MALFORMED for a URL that the server must not name. */
  #transportOf(url: string, place: string): Transport {
    const { address: directory, tls, timeoutMs, name } = this.#config;
    const parsed = URL.parse(url);
    const isSafe = parsed?.protocol === 'https:' || (parsed?.protocol === 'http:' && !/^https:/i.test(directory));
    if (parsed === null || !isSafe) throw noAcme(place, 'the server names a URL that is not https');
    const known = this.#transports.get(parsed.origin);
    if (known !== undefined) return known;
    const { clock, env } = this.#context;
    const options = { address: parsed.origin, tls, timeoutMs, clock, env, place: `backends.${name}` };
    const transport = new Transport({ ...options, noRedirect: true }); // the signature is for one URL
    this.#transports.set(parsed.origin, transport);
    return transport;
  }
}

const originOf = (url: string): string => new URL(url).origin;

function directoryIn(json: unknown): Directory | undefined {
  const { newNonce, newAccount, newOrder, renewalInfo, meta } = (json ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof newNonce !== 'string' || typeof newAccount !== 'string' || typeof newOrder !== 'string') return undefined;
  const { termsOfService, externalAccountRequired, profiles } = (meta ?? {}) as Readonly<Record<string, unknown>>;
  return {
    newNonce,
    newAccount,
    newOrder,
    ...(typeof renewalInfo === 'string' ? { renewalInfo } : {}),
    ...(typeof termsOfService === 'string' ? { termsOfService } : {}),
    externalAccountRequired: externalAccountRequired === true,
    ...(typeof profiles === 'object' && profiles !== null ? { profiles: Object.keys(profiles) } : {}),
  };
}

/** Waits for work that others share; ends with CANCELLED when `signal` aborts, and the work goes on. */
export function until<T>(work: Promise<T>, signal: AbortSignal, place: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = onAbort(signal, () => reject(fail('CANCELLED', place, 'the call was cancelled')));
    work.then(resolve, reject).finally(cancel);
  });
}
