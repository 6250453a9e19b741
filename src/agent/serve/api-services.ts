import type { Config } from '../../config/config.ts';
import type { ServicePlan } from './service-plan.ts';

/** The local API: one service for each listener. */
export function apiServices({ api, secrets }: Config): readonly ServicePlan[] {
  return (api?.listeners ?? []).map((listener) => ({
    service: 'api',
    where: listener.where,
    place: listener.place,
    create: async (view) => {
      if (listener.aws !== undefined) {
        const { createAwsAgentOn } = await import('./create-aws-agent.ts');
        return createAwsAgentOn({ listener, aws: listener.aws, audit: api?.audit ?? 'changes', secrets }, view);
      }
      const { createApi } = await import('../../deliver/api/create-api.ts');
      const { apiAgent } = await import('./api-agent.ts');
      const { healthRoutes } = await import('./observers.ts');
      // Listeners with a token or a secret filter get health without names.
      const isOpen = listener.secrets === undefined && listener.tokenFile === undefined;
      const rows = await healthRoutes(view, isOpen ? undefined : 0);
      const { overHttp } = await import('../../deliver/http/over-http.ts');
      const service = createApi({ listener, audit: api?.audit ?? 'changes', secrets, rows }, apiAgent(view));
      return overHttp(service, { maxConnections: listener.maxConnections });
    },
  }));
}
