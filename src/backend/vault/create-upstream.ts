import type { Clock } from '../../base/clock.ts';
import type { Environment } from '../../config/environment.ts';
import { Forwarder } from '../../http/forwarder.ts';
import { createAuthorized } from './auth/authorized.ts';
import type { Session } from './auth/method.ts';
import type { VaultClient } from './client/client.ts';
import type { VaultBackendConfig } from './config/config.ts';
import { VaultMounts } from './source/mounts.ts';
import type { Upstream } from './upstream.ts';

/**
 * The wait for an answer to a proxied request. It equals the server's default limit for a request:
 * https://openbao.org/docs/configuration/#default_max_request_duration
 */
const ANSWER_MS = 90_000;

export interface UpstreamDeps {
  readonly client: VaultClient;
  readonly session: Session;
  readonly clock: Clock;
  readonly env: Environment;
}

/**
 * Opens a Vault or OpenBao server for the proxy, over separate connections. Disposing of the upstream does not dispose
 * of `client` and `session`.
 */
export function createVaultUpstream(
  config: VaultBackendConfig,
  { client, session, clock, env }: UpstreamDeps,
): Upstream {
  const { name, address, tls, timeoutMs, namespace } = config;
  const place = `backends.${name}`;
  const times = { connectMs: timeoutMs, answerMs: Math.max(timeoutMs, ANSWER_MS) };
  const forwarder = new Forwarder({ address, tls, clock, env, place, ...times });
  const stop = new AbortController();
  const mounts = new VaultMounts(createAuthorized(client, session, clock), clock, stop.signal);
  return {
    address: forwarder.address,
    namespace,
    place,
    loginMs: timeoutMs,
    session,
    client,
    send: (request, until) => forwarder.send(request, until),
    mountOf: (path, signal) => mounts.find(path, { place }, signal),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await forwarder[Symbol.asyncDispose]();
    },
  };
}
