import type { Clock } from '../base/clock.ts';
import type { TlsConfig } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { Pool } from './pool.ts';
import { proxyEnv } from './proxy-env.ts';
import { parseTarget, type Target } from './target.ts';

export interface EndpointOptions {
  /** `https://host:port`, `http://…` with or without a path, or `unix:///path`. */
  readonly address: string;
  readonly tls: TlsConfig;
  readonly clock: Clock;
  readonly env: Environment;
  /** Configuration path of the backend. */
  readonly place: string;
  /** See `PoolOptions`. */
  readonly maxConnections?: number;
  /** See `PoolOptions`. Over a proxy, plain HTTP lends none: each of its requests names the whole URL. */
  readonly lends?: boolean;
}

/** One server: its address, and the pool of connections to it. */
export interface Endpoint {
  readonly target: Target;
  /** Put before every path; empty, or a path that begins with a slash and ends without one. */
  readonly base: string;
  /** For messages: no credentials, no trailing slash. */
  readonly address: string;
  /** A proxy is configured for this address, so it may be the one that failed. */
  readonly proxied: boolean;
  /** A proxy is configured for some address; a redirect may lead to one. */
  readonly mayTunnel: boolean;
  readonly pool: Pool;
}

/**
 * Parses the address and makes the pool; no connection is opened yet.
 * @throws PannierError CONFIG_INVALID for an address of another form; BACKEND_UNREACHABLE when a proxy variable holds
 * no URL.
 */
export function openEndpoint(options: EndpointOptions): Endpoint {
  const { target, base, shown } = parseTarget(options.address, options.place);
  const proxies = target.kind === 'tcp' ? proxyEnv(options.env, options.place) : undefined;
  const key = target.kind === 'tcp' && target.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const proxied = proxies?.[key] !== undefined;
  const mayTunnel = proxies?.HTTP_PROXY !== undefined || proxies?.HTTPS_PROXY !== undefined;
  const lends = options.lends === true && !(proxied && key === 'HTTP_PROXY');
  const pool = new Pool({ ...options, lends, ...(proxies === undefined ? {} : { proxyEnv: proxies }) });
  return { target, base, address: shown, proxied, mayTunnel, pool };
}
