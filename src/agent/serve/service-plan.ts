import type { ListenConfig } from '../../config/config.ts';
import type { Service } from '../../deliver/service.ts';
import type { AgentView } from './agent-view.ts';

/** One service on one listener, as a configuration describes it. */
export interface ServicePlan {
  readonly service: 'api' | 'proxy' | 'admin' | 'sds';
  readonly where: ListenConfig;
  /** Configuration path of the listener, for errors. */
  readonly place: string;
  /** Loads the service's code and makes the service; it does not serve yet. */
  readonly create: (view: AgentView) => Promise<Service>;
}
