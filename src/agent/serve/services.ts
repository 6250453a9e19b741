import type { Config, ListenConfig } from '../../config/config.ts';
import type { Limits } from '../../deliver/http/listener.ts';
import type { Service } from '../../deliver/http/service.ts';
import { adminServices } from './admin-services.ts';
import type { AgentView } from './agent-view.ts';
import { apiSecrets, apiServices } from './api-services.ts';

/** One service on one listener, as a configuration describes it. */
export interface ServicePlan {
  readonly service: 'api' | 'proxy' | 'admin';
  readonly where: ListenConfig;
  /** Configuration path of the listener, for errors. */
  readonly place: string;
  /** Where they differ from those of other listeners. */
  readonly limits?: Partial<Limits>;
  /** Loads its code and makes it; nothing is served yet. */
  readonly create: (view: AgentView) => Promise<Service>;
}

/** Everything that `run` serves with this configuration; a line per kind of service. */
export function servicesOf(config: Config): readonly ServicePlan[] {
  return [...apiServices(config), ...proxyServices(config), ...adminServices(config)];
}

/** Secrets that are fetched for listeners, whether or not an output needs them. */
export function servedSecrets(config: Config): ReadonlySet<string> {
  return new Set(apiSecrets(config));
}

/** Backends that are opened for listeners, whether or not a secret needs them. */
export function servedBackends({ proxy }: Config): ReadonlySet<string> {
  return proxy === undefined ? NONE : new Set([proxy.backend]);
}

const NONE: ReadonlySet<string> = new Set();

/**
 * Tokens make headers long, and a snapshot that is restored is uploaded for minutes. `LIST` and `SCAN` are methods of
 * the API that Node's parser does not know.
 */
const PROXY_LIMITS: Partial<Limits> = { headerBytes: 64 * 1024, requestMs: 1_800_000, extraMethods: ['LIST', 'SCAN'] };

function proxyServices({ proxy }: Config): readonly ServicePlan[] {
  if (proxy === undefined) return [];
  return proxy.listeners.map((listen) => ({
    service: 'proxy',
    where: listen.where,
    place: listen.place,
    limits: PROXY_LIMITS,
    create: async (view) => {
      const { createProxyService } = await import('../../deliver/proxy/proxy-service.ts');
      const { clock, random, emit } = view;
      const backend = () => view.backends().get(proxy.backend);
      return createProxyService({ proxy, listen, backend, clock, random, emit });
    },
  }));
}
