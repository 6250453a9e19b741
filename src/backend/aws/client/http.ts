import type { Clock } from '../../../base/clock.ts';
import { asFailure, fail } from '../../../base/errors.ts';
import type { Emit } from '../../../base/fact.ts';
import { URGENCY } from '../../../base/urgency.ts';
import type { Environment } from '../../../config/environment.ts';
import type { CircuitView } from '../../../http/circuit.ts';
import type { WireAnswer } from '../../../http/exchange.ts';
import { type Protection, Transport } from '../../../http/transport.ts';
import type { AwsBackendConfig } from '../config/config.ts';

export interface AwsHttpOptions {
  readonly config: AwsBackendConfig;
  readonly clock: Clock;
  readonly emit: Emit;
  /** For HTTPS_PROXY, HTTP_PROXY and NO_PROXY; nothing else is read from it. */
  readonly env: Environment;
  /** Absent: nothing protects the services but the number of requests at once, see `Protection`. */
  readonly protection?: Protection | undefined;
}

/** The part of the SDK's `HttpRequest` that is read here. */
interface SdkRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface SdkResponse {
  readonly response: {
    readonly statusCode: number;
    readonly headers: Record<string, string>;
    readonly body: Uint8Array;
  };
}

/**
 * A request handler for the SDK over `Transport`, so that AWS has the same proxies, deadlines and error messages as
 * Vault, and one pool of connections per endpoint. The SDK's own handlers, which know no proxy, open no connection.
 *
 * Each request ends in one fact, which names the operation and no other part of the request.
 */
export class AwsHttp implements AsyncDisposable {
  /** The SDK reads which protocol its handler speaks. */
  readonly metadata = { handlerProtocol: 'http/1.1' };
  readonly #options: AwsHttpOptions;
  readonly #transports = new Map<string, Transport>();

  constructor(options: AwsHttpOptions) {
    this.#options = options;
  }

  /** @throws PannierError as `Transport.run` does, at the place of the backend. */
  async handle(request: SdkRequest, { abortSignal }: { abortSignal?: unknown } = {}): Promise<SdkResponse> {
    const { config, clock, emit } = this.#options;
    const { method, headers, body } = request;
    const place = `backends.${config.name}`;
    const about = { backend: config.name, call: operationOf(request) };
    const startedMs = clock.monoMs();
    const lasted = () => clock.monoMs() - startedMs;
    const signal = abortSignal instanceof AbortSignal ? abortSignal : new AbortController().signal;
    const bytes = bytesOf(body, place);
    try {
      const answer = await this.#transportTo(request, place).run(
        { urgency: /^(?:sts|sso)/.test(about.call) ? URGENCY.login : undefined, place },
        signal,
        (send) => send({ method, path: pathOf(request), headers, ...(bytes === undefined ? {} : { body: bytes }) }),
      );
      emit({ kind: 'backend-answered', ...about, status: answer.status, durationMs: lasted() });
      return { response: { statusCode: answer.status, headers: { ...answer.headers }, body: answer.body } };
    } catch (error) {
      const failed = asFailure(error, place);
      if (failed.code !== 'CANCELLED')
        emit({ kind: 'backend-failed', ...about, failure: failed, durationMs: lasted() });
      throw error;
    }
  }

  /**
   * Opens a transport to a credential service of this machine, never through a proxy. The caller disposes of it, which
   * closes its connections.
   */
  openService(address: string, timeoutMs: number): Transport {
    const { config, clock } = this.#options;
    const tls = { skipVerify: false, ...(config.caFile === undefined ? {} : { caFile: config.caFile }) };
    const place = `backends.${config.name}`;
    return new Transport({ address, tls, timeoutMs, noRedirect: true, clock, env: {}, place });
  }

  /** Part of the SDK's contract: its plug-ins may set options of a handler; this one has none. */
  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): object {
    return {};
  }

  /** Ends all requests and closes all connections; the next request makes new ones. */
  async [Symbol.asyncDispose](): Promise<void> {
    const transports = [...this.#transports.values()];
    this.#transports.clear();
    await Promise.all(transports.map((transport) => transport[Symbol.asyncDispose]()));
  }

  /** The worst of the circuits of its endpoints. */
  get circuit(): CircuitView | undefined {
    const views = [...this.#transports.values()].flatMap(({ circuit }) => circuit ?? []);
    return views.find(({ state }) => state !== 'closed') ?? views[0];
  }

  #transportTo({ protocol, hostname, port }: SdkRequest, place: string): Transport {
    const { config, clock, env, protection } = this.#options;
    const address = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
    const known = this.#transports.get(address);
    if (known !== undefined) return known;
    const tls = { skipVerify: false, ...(config.caFile === undefined ? {} : { caFile: config.caFile }) };
    const { timeoutMs } = config;
    const protects = protection === undefined ? {} : { protection: { ...protection, isOverload: isThrottling } };
    const made = new Transport({ address, tls, timeoutMs, noRedirect: true, clock, env, place, ...protects });
    this.#transports.set(address, made);
    return made;
  }
}

/** AWS throttles with status 400, and the name of the error in the body. */
function isThrottling({ status, body }: WireAnswer): boolean {
  return status === 400 && THROTTLING.test(Buffer.from(body.subarray(0, 1024)).toString('latin1'));
}

const THROTTLING = /Throttling(?:Exception)?|TooManyRequestsException|RequestLimitExceeded/;

/** The operations of SSO by their paths. */
const SSO: Readonly<Record<string, string>> = {
  '/federation/credentials': 'sso GetRoleCredentials',
  '/token': 'sso CreateToken',
};

/**
 * Service and operation of a request, such as `secretsmanager GetSecretValue`. STS speaks the query protocol, which
 * names the operation in the body.
 */
function operationOf({ headers, body, path }: SdkRequest): string {
  const target = headers['x-amz-target'] ?? headers['X-Amz-Target'];
  if (target !== undefined) return target.replace(/^AmazonSSM\./, 'ssm ').replace('.', ' ');
  if (Object.hasOwn(SSO, path)) return SSO[path] as string;
  return `sts ${/\bAction=([A-Za-z]+)/.exec(typeof body === 'string' ? body : '')?.[1] ?? ''}`.trim();
}

function pathOf({ path, query }: SdkRequest): string {
  const pairs = Object.entries(query ?? {}).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map(
      (one) => `${encodeURIComponent(name)}=${encodeURIComponent(one ?? '')}`,
    ),
  );
  return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`;
}

function bytesOf(body: unknown, place: string): Uint8Array | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'string') return Buffer.from(body, 'utf8');
  if (body instanceof Uint8Array) return body;
  throw fail('INTERNAL', place, 'a body that is neither text nor bytes');
}
