import type { Clock } from '../../../base/clock.ts';
import { asFailure, fail } from '../../../base/errors.ts';
import type { Emit } from '../../../base/fact.ts';
import { isHeaderToken } from '../../../base/header-text.ts';
import type { Tracing } from '../../../base/tracing.ts';
import { URGENCY, type Urgency } from '../../../base/urgency.ts';
import type { Environment } from '../../../config/environment.ts';
import type { CircuitView } from '../../../http/circuit.ts';
import { type Exchange, type Protection, type Send, Transport } from '../../../http/transport.ts';
import type { VaultBackendConfig } from '../config/config.ts';
import { readBody } from './body.ts';
import { type VaultAnswer, type VaultCall, type VaultClient, VaultStatusError } from './client.ts';
import { encodeBody, encodePath, encodeQuery } from './encode.ts';
import { loadNodeVault, type NodeVault, type NodeVaultOptions, type NodeVaultRequest } from './node-vault.ts';

export interface VaultClientOptions {
  readonly config: VaultBackendConfig;
  readonly clock: Clock;
  readonly emit: Emit;
  /** For HTTPS_PROXY, HTTP_PROXY and NO_PROXY; nothing else is read from it. */
  readonly env: Environment;
  /** Pannier's version, for the User-Agent header. */
  readonly version?: string;
  /** Absent: there are no traces. */
  readonly tracing?: Tracing | undefined;
  /** Absent: nothing protects the server but the number of requests at once, see `Protection`. */
  readonly protection?: Protection | undefined;
  /** See `TransportOptions.exchange`. */
  readonly exchange?: Exchange | undefined;
}

/**
 * Makes the client of one Vault or OpenBao server. It opens no connection and loads no library before the first call.
 *
 * Each request ends in one fact: `backend-answered` for a whole answer of any status, `backend-failed` when no answer
 * came or it was not an answer of this API. The fact holds the path without its query.
 * @throws PannierError as `openEndpoint` does.
 */
export function createVaultClient(options: VaultClientOptions): VaultClient {
  return new NodeVaultClient(options);
}

/** Passed through node-vault to the requester, beside node-vault's own options. */
interface Passed {
  readonly call: VaultCall;
  readonly send: Send;
}

class NodeVaultClient implements VaultClient {
  readonly backend: string;
  readonly address: string;
  readonly namespace: string | undefined;
  readonly #options: VaultClientOptions;
  readonly #transport: Transport;
  readonly #headers: Readonly<Record<string, string>>;
  #vault: Promise<NodeVault<Passed>> | undefined;

  constructor(options: VaultClientOptions) {
    const { config, clock, env, version, protection, exchange } = options;
    const { name, address, tls, timeoutMs, namespace } = config;
    this.#options = options;
    const place = `backends.${name}`;
    this.#transport = new Transport({ address, tls, timeoutMs, clock, env, place, protection, exchange });
    this.backend = name;
    this.address = this.#transport.address;
    this.namespace = namespace;
    this.#headers = {
      Accept: 'application/json',
      'User-Agent': version === undefined ? 'pannier' : `pannier/${version}`,
      'X-Vault-Request': 'true',
      ...(namespace === undefined
        ? {}
        : { 'X-Vault-Namespace': checkHeaderToken(namespace, 'namespace', `backends.${name}`) }),
    };
  }

  async call(call: VaultCall, signal: AbortSignal): Promise<VaultAnswer> {
    if (signal.aborted) throw fail('CANCELLED', call.place, 'the call was cancelled');
    this.#vault ??= loadNodeVault((request) => this.#send(request));
    const vault = await this.#vault;
    const { path, place, freshTls = false } = call;
    const turn = { urgency: urgencyOf(path), place, path, freshTls };
    return (await this.#transport.run(turn, signal, async (send) =>
      dispatch(vault, call, this.#passing(call, send)),
    )) as VaultAnswer;
  }

  get circuit(): CircuitView | undefined {
    return this.#transport.circuit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]();
  }

  #passing(call: VaultCall, send: Send): NodeVaultOptions<Passed> {
    const { token, namespace, place } = call;
    const headers = { ...this.#headers };
    for (const [name, value] of Object.entries(call.headers ?? {})) headers[name] = value.exposeText('backend');
    if (token !== undefined) headers['X-Vault-Token'] = checkHeaderToken(token.exposeText('backend'), 'token', place);
    if (namespace === '') delete headers['X-Vault-Namespace'];
    else if (namespace !== undefined) headers['X-Vault-Namespace'] = checkHeaderToken(namespace, 'namespace', place);
    if (RENEWS.test(call.path)) headers['X-Request-Id'] = crypto.randomUUID();
    return { headers, passed: { call, send } };
  }

  /** The requester that node-vault calls: sends, emits the fact, and throws PannierError for all but success. */
  async #send(asked: NodeVaultRequest<Passed>): Promise<VaultAnswer> {
    const { call } = asked.passed;
    const about = {
      backend: this.backend,
      call: `${call.method} ${call.isPathPrivate ? '(computed path)' : call.path}`,
    };
    const { tracing } = this.#options;
    if (tracing === undefined) return await this.#exchange(asked, about);
    return await tracing.within({ kind: 'call', ...about }, () =>
      this.#exchange({ ...asked, headers: { ...asked.headers, ...tracing.headers() } }, about),
    );
  }

  async #exchange(
    { method, path, headers, json, passed: { call, send } }: NodeVaultRequest<Passed>,
    about: { readonly backend: string; readonly call: string },
  ): Promise<VaultAnswer> {
    const { clock, emit } = this.#options;
    const { place } = call;
    const body = json === undefined ? {} : { body: encodeBody(json, place) };
    const request = { method, path, headers: json === undefined ? headers : { ...headers, ...JSON_TYPE }, ...body };
    const startedMs = clock.monoMs();
    const lasted = () => clock.monoMs() - startedMs;
    try {
      const answer = await send(request);
      const parsed = { ...answer, body: readBody(answer, this.address, place) };
      emit({ kind: 'backend-answered', ...about, status: answer.status, durationMs: lasted() });
      if (SUCCESS.has(answer.status)) return parsed;
      const { statusError } = await import('./status.ts'); // most agents never get such an answer
      throw statusError({ ...parsed, address: this.address, call: about.call, place, nowMs: clock.wallMs() });
    } catch (error) {
      const failed = asFailure(error, place);
      const answered = error instanceof VaultStatusError;
      if (!answered && failed.code !== 'CANCELLED') {
        emit({ kind: 'backend-failed', ...about, failure: failed, durationMs: lasted() });
      }
      throw error;
    }
  }
}

const SUCCESS = new Set([200, 202, 204]);
const JSON_TYPE = { 'Content-Type': 'application/json' };

const RENEWAL = /^\/?(?:auth\/token\/(?:renew|lookup)-self|sys\/leases\/renew)$/;
const LOGIN = /^\/?(?:auth|sys)\//;

/** Logins and questions about mounts go before queued fetches, which wait for them; then renewals. */
function urgencyOf(path: string): Urgency | undefined {
  if (RENEWAL.test(path)) return URGENCY.ending;
  return LOGIN.test(path) ? URGENCY.login : undefined;
}

/**
 * The caches of Vault Agent and Vault Proxy answer a renewal that equals an earlier one, with what that one gave, and
 * compare all headers: https://github.com/hashicorp/vault/pull/32009. So no two renewals are equal.
 */
const RENEWS = /^\/?(?:sys\/leases\/renew|auth\/token\/renew-self)$/;

function dispatch(vault: NodeVault<Passed>, call: VaultCall, options: NodeVaultOptions<Passed>): Promise<unknown> {
  const { method, place, query, body } = call;
  const path = encodePath(call.path, place);
  if (query === undefined) {
    if (method === 'GET') return vault.read(path, options);
    if (method === 'LIST') return vault.list(path, options);
    if (method === 'POST') return vault.write(path, body ?? {}, options);
    if (method === 'DELETE' && body === undefined) return vault.delete(path, options);
  }
  const json = method === 'POST' || method === 'PUT' ? (body ?? {}) : body;
  return vault.request({
    ...options,
    method: method === 'LIST' ? 'GET' : method,
    path: `/${path}${encodeQuery(method === 'LIST' ? { ...query, list: 'true' } : query, place)}`,
    ...(json === undefined ? {} : { json }),
  });
}

/**
 * Returns `text`. The check is made here because the error of Node would quote the token.
 * @throws PannierError AUTH_UNUSABLE for a token, BACKEND_REJECTED for a namespace that a header cannot carry.
 */
function checkHeaderToken(text: string, what: 'token' | 'namespace', place: string): string {
  if (isHeaderToken(text)) return text;
  const hint = `Check where the ${what} comes from: it may have a line break in the middle, or not be text.`;
  const code = what === 'token' ? 'AUTH_UNUSABLE' : 'BACKEND_REJECTED';
  throw fail(code, place, `the ${what} has characters that a header cannot carry`, { hint });
}
