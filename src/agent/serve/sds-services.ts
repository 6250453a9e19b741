import type { Config } from '../../config/config.ts';
import type { ServicePlan } from './service-plan.ts';

/** Envoy's secret discovery service: one service for each listener, and what they serve is shared. */
export function sdsServices({ sds }: Config): readonly ServicePlan[] {
  if (sds === undefined) return [];
  return sds.listeners.map((listen) => ({
    service: 'sds',
    where: listen.where,
    place: listen.place,
    create: async (view) => (await import('./create-sds.ts')).createSds(sds, listen, view),
  }));
}
