import type { Config, ListenConfig } from '../config/config.ts';
import type { Service } from '../deliver/http/service.ts';
import type { AgentView } from './agent-view.ts';

/** One service on one listener, as a configuration describes it. */
export interface ServicePlan {
  readonly service: 'api' | 'proxy' | 'admin';
  readonly where: ListenConfig;
  /** Configuration path of the listener, for errors. */
  readonly place: string;
  /** Loads its code and makes it; nothing is served yet. */
  readonly create: (view: AgentView) => Promise<Service>;
}

/** Everything that `run` serves with this configuration; a line per kind of service. */
export function servicesOf(_config: Config): readonly ServicePlan[] {
  return [];
}

/** Secrets that are fetched for listeners, whether or not an output needs them. */
export function servedSecrets(_config: Config): ReadonlySet<string> {
  return NONE;
}

/** Backends that are opened for listeners, whether or not a secret needs them. */
export function servedBackends(_config: Config): ReadonlySet<string> {
  return NONE;
}

const NONE: ReadonlySet<string> = new Set();
