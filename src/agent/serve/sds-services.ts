import type { Config } from '../../config/config.ts';
import type { SdsHub } from '../../deliver/sds/hub.ts';
import type { AgentView } from './agent-view.ts';
import type { ServicePlan } from './service-plan.ts';

/** Envoy's secret discovery service: one service for each listener, and what they serve is shared. */
export function sdsServices({ sds }: Config): readonly ServicePlan[] {
  if (sds === undefined) return [];
  return sds.listeners.map((listen) => ({
    service: 'sds',
    where: listen.where,
    place: listen.place,
    create: async (view) => {
      const { createSdsService } = await import('../../deliver/sds/service.ts');
      const { clock, emit } = view;
      return createSdsService({ sds, listen, hub: await hubOf(view), clock, emit });
    },
  }));
}

/** The secrets that clients of the service can ask for. */
export function sdsSecrets({ sds }: Config): readonly string[] {
  return [...(sds?.secrets.values() ?? [])].flatMap((one) => {
    if (one.kind === 'session-tickets') return [];
    return one.kind === 'trust' && one.crl !== undefined ? [one.from.secret, one.crl.secret] : [one.from.secret];
  });
}

/** Made once for an agent: streams outlive its configurations. */
async function hubOf(view: AgentView): Promise<SdsHub> {
  const { SdsHub } = await import('../../deliver/sds/hub.ts');
  if (view.sds.hub !== undefined) return view.sds.hub;
  const { clock, emit, secrets, wantAlso } = view;
  const hub = new SdsHub({ clock, emit, secrets, want: wantAlso });
  view.sds.hub = hub;
  view.atEnd(() => hub[Symbol.dispose]());
  return hub;
}
