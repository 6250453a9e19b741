import type { Config } from '../../config/config.ts';
import type { Limits } from '../../deliver/http/listener.ts';
import { adminServices } from './admin-services.ts';
import { apiServices } from './api-services.ts';
import { sdsServices } from './sds-services.ts';
import type { ServicePlan } from './service-plan.ts';

/** Every service that `run` offers with this configuration. */
export function servicesOf(config: Config): readonly ServicePlan[] {
  return [...apiServices(config), ...proxyServices(config), ...adminServices(config), ...sdsServices(config)];
}

/**
 * Tokens make headers long, and uploading a snapshot to restore it takes minutes. `LIST` and `SCAN` are methods of
 * Vault's API that Node's parser does not know.
 */
const PROXY_LIMITS: Partial<Limits> = { headerBytes: 64 * 1024, requestMs: 1_800_000, extraMethods: ['LIST', 'SCAN'] };

function proxyServices({ proxy }: Config): readonly ServicePlan[] {
  if (proxy === undefined) return [];
  return proxy.listeners.map((listen) => ({
    service: 'proxy',
    where: listen.where,
    place: listen.place,
    create: async (view) => {
      const { createProxyService } = await import('../../deliver/proxy/proxy-service.ts');
      const { clock, random, emit, stop } = view;
      const backend = () => view.backends.byName().get(proxy.backend);
      const { overHttp } = await import('../../deliver/http/over-http.ts');
      return overHttp(createProxyService({ proxy, listen, backend, clock, random, emit, stop }), PROXY_LIMITS);
    },
  }));
}
