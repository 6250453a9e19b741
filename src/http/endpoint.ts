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
  /** Connections at once, see `PoolOptions`. */
  readonly maxConnections?: number;
}

/** The way to one backend: where it is, what stands before every path, and kept connections. */
export interface Endpoint {
  readonly target: Target;
  readonly base: string;
  /** For messages: no credentials, no trailing slash. */
  readonly address: string;
  /** A proxy is configured for this address, so it may be the one that failed. */
  readonly proxied: boolean;
  readonly pool: Pool;
}

/**
 * Opens no connection yet.
 * @throws PannierError CONFIG_INVALID for an address of another form; BACKEND_UNREACHABLE for a proxy that is none.
 */
export function openEndpoint(options: EndpointOptions): Endpoint {
  const { target, base, shown } = parseTarget(options.address, options.place);
  const proxies = target.kind === 'tcp' ? proxyEnv(options.env, options.place) : undefined;
  const key = target.kind === 'tcp' && target.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const pool = new Pool({ ...options, ...(proxies === undefined ? {} : { proxyEnv: proxies }) });
  return { target, base, address: shown, proxied: proxies?.[key] !== undefined, pool };
}
