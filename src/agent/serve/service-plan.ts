import type { ListenConfig } from '../../config/config.ts';
import type { Service } from '../../deliver/service.ts';
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
