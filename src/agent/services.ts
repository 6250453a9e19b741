import type { Config, ListenConfig } from '../config/config.ts';
import type { Service } from '../deliver/http/service.ts';
import type { AgentView } from './agent-view.ts';
import { apiSecrets, apiServices } from './api-services.ts';

/** One service on one listener, as a configuration describes it. */
export interface ServicePlan {
  readonly service: 'api' | 'proxy' | 'admin';
  readonly where: ListenConfig;
  /** Configuration path of the listener, for errors. */
  readonly place: string;
  /** See `Limits`; the listener's own default when absent. */
  readonly maxConnections?: number;
  /** Loads its code and makes it; nothing is served yet. */
  readonly create: (view: AgentView) => Promise<Service>;
}

/** Everything that `run` serves with this configuration; a line per kind of service. */
export function servicesOf(config: Config): readonly ServicePlan[] {
  return [...apiServices(config)];
}

/** Secrets that are fetched for listeners, whether or not an output needs them. */
export function servedSecrets(config: Config): ReadonlySet<string> {
  return new Set(apiSecrets(config));
}

/** Backends that are opened for listeners, whether or not a secret needs them. */
export function servedBackends(_config: Config): ReadonlySet<string> {
  return NONE;
}

const NONE: ReadonlySet<string> = new Set();
