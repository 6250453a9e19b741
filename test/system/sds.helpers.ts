import { X509Certificate } from 'node:crypto';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { get } from './observe.helpers.ts';

/** Parts of a bootstrap of Envoy that has its secrets from the agent. */

const TLS = 'envoy.extensions.transport_sockets.tls';
const typed = (type: string, more: object = {}) => ({ '@type': `type.googleapis.com/${type}`, ...more });

/** How Envoy asks: the two protocols of gRPC, and polling over HTTP. */
export type ApiType = 'GRPC' | 'DELTA_GRPC' | 'REST';

/** The cluster of the agent's socket. */
export function agentCluster(socket: string, isHttp2 = true): object {
  return {
    name: 'agent',
    connect_timeout: '1s',
    // Each secret is a stream, and Envoy allows 1,024 requests of a cluster at once.
    circuit_breakers: { thresholds: [{ max_requests: 100_000, max_pending_requests: 100_000 }] },
    ...(isHttp2
      ? {
          typed_extension_protocol_options: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': typed(
              'envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
              { explicit_http_config: { http2_protocol_options: {} } },
            ),
          },
        }
      : {}),
    load_assignment: {
      cluster_name: 'agent',
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path: socket } } } }] }],
    },
  };
}

/** Where Envoy has a secret from. */
export function sdsConfig(apiType: ApiType, token?: string): object {
  const grpc = {
    envoy_grpc: { cluster_name: 'agent' },
    ...(token === undefined ? {} : { initial_metadata: [{ key: 'x-pannier-token', value: token }] }),
  };
  return {
    resource_api_version: 'V3',
    api_config_source: {
      api_type: apiType,
      transport_api_version: 'V3',
      ...(apiType === 'REST'
        ? { cluster_names: ['agent'], refresh_delay: '0.2s', request_timeout: '2s' }
        : { grpc_services: [grpc] }),
    },
  };
}

export interface TlsListenerOptions {
  readonly port: number;
  readonly name?: string;
  /** `common_tls_context`. */
  readonly tls: object;
  /** Further members of the downstream context. */
  readonly downstream?: object;
}

/** A listener that answers every request over TLS with 200. */
export function tlsListener({ port, name = 'tls', tls, downstream = {} }: TlsListenerOptions): object {
  return {
    name,
    address: { socket_address: { address: '127.0.0.1', port_value: port } },
    filter_chains: [
      {
        transport_socket: {
          name: 'envoy.transport_sockets.tls',
          typed_config: typed(`${TLS}.v3.DownstreamTlsContext`, { common_tls_context: tls, ...downstream }),
        },
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            typed_config: typed('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
              stat_prefix: name,
              http_filters: [
                {
                  name: 'envoy.filters.http.router',
                  typed_config: typed('envoy.extensions.filters.http.router.v3.Router'),
                },
              ],
              route_config: {
                virtual_hosts: [
                  {
                    name: 'all',
                    domains: ['*'],
                    routes: [
                      { match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: 'ok' } } },
                    ],
                  },
                ],
              },
            }),
          },
        ],
      },
    ],
  };
}

/** The selector that asks for a certificate by the name in the client's hello. */
export function onDemandSelector(config: object, more: object = {}): object {
  return {
    custom_tls_certificate_selector: {
      name: 'on_demand',
      typed_config: typed(`${TLS}.cert_selectors.on_demand_secret.v3.Config`, {
        config_source: config,
        certificate_mapper: {
          name: 'sni',
          typed_config: typed(`${TLS}.cert_mappers.sni.v3.SNI`, { default_value: 'none' }),
        },
        ...more,
      }),
    },
  };
}

/** What one TLS handshake showed. */
export interface Handshake {
  readonly serial: string;
  readonly certificate: X509Certificate;
  /** Whether the chain leads to the CA that was given. */
  readonly authorized: boolean;
  /** Why not. */
  readonly why: string;
}

/** One handshake; rejects when it fails. With a client certificate it also waits for the server's verdict. */
export async function shakeHands(port: number, options: ConnectionOptions = {}): Promise<Handshake> {
  const socket = await new Promise<TLSSocket>((resolve, reject) => {
    const made: TLSSocket = connectTls(
      { port, host: '127.0.0.1', servername: 'shop.svc', rejectUnauthorized: false, ...options },
      () => resolve(made),
    );
    made.setTimeout(10_000, () => made.destroy(new Error('the handshake takes too long')));
    made.once('error', reject);
    made.once('close', () => reject(new Error('closed during the handshake')));
  });
  try {
    const raw = socket.getPeerCertificate(true).raw;
    const certificate = new X509Certificate(raw);
    // In TLS 1.3 the server judges a client's certificate after the client is done: only an answer proves it.
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('closed before an answer')));
      socket.once('data', (data: Buffer) =>
        data.toString('latin1').startsWith('HTTP/1.1 200') ? resolve() : reject(new Error('not answered with 200')),
      );
      socket.write('GET / HTTP/1.1\r\nHost: shop.svc\r\nConnection: close\r\n\r\n');
    });
    return {
      serial: serialOf(certificate),
      certificate,
      authorized: socket.authorized,
      why: String(socket.authorizationError ?? ''),
    };
  } finally {
    socket.destroy();
  }
}

/** In the form of OpenBao: `0a:1b`. */
export const serialOf = ({ serialNumber }: X509Certificate): string =>
  (serialNumber.toLowerCase().match(/../g) ?? []).join(':');

/** What a number of clients saw who connected one after the other, all the time. */
export interface Load extends AsyncDisposable {
  readonly handshakes: number;
  /** What went wrong, as text. */
  readonly failures: readonly string[];
  /** The serial numbers that were served, in the order in which they were first seen. */
  readonly serials: ReadonlySet<string>;
  stop(): Promise<void>;
}

/** Makes new connections without a pause, `clients` at a time, until it is stopped. */
export function underLoad(port: number, clients = 4): Load {
  const seen = { handshakes: 0, failures: [] as string[], serials: new Set<string>() };
  let isOver = false;
  const client = async () => {
    while (!isOver) {
      try {
        seen.serials.add((await shakeHands(port)).serial);
        seen.handshakes++;
      } catch (error) {
        seen.failures.push(String(error));
      }
    }
  };
  const running = Promise.all(Array.from({ length: clients }, client));
  const stop = async () => {
    isOver = true;
    await running;
  };
  return {
    get handshakes() {
      return seen.handshakes;
    },
    failures: seen.failures,
    serials: seen.serials,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Has the agent issue the next certificate; resolves to its serial number. */
export async function rotate(api: string, secret = 'tls'): Promise<string> {
  const answered = await get(api, `/v1/secrets/${secret}/refresh`, {}, 'POST');
  if (answered.status !== 200) throw new Error(`refresh: ${answered.status} ${answered.body}`);
  const { body } = await get(api, `/v1/secrets/${secret}/serialNumber`);
  return body.trim();
}
