import type { SdsConfig, SdsListenConfig } from '../../config/config.ts';
import { SdsHub } from '../../deliver/sds/hub.ts';
import { createSdsService } from '../../deliver/sds/service.ts';
import type { Service } from '../../deliver/service.ts';
import type { AgentView } from './agent-view.ts';

/** The service of `sds` on one listener. */
export function createSds(sds: SdsConfig, listen: SdsListenConfig, view: AgentView): Promise<Service> {
  const { clock, emit } = view;
  return createSdsService({ sds, listen, hub: hubOf(view), clock, emit });
}

/** Made once for an agent: streams outlive its configurations. */
function hubOf(view: AgentView): SdsHub {
  if (view.sds.hub !== undefined) return view.sds.hub;
  const { clock, emit, secrets, wantAlso } = view;
  const hub = new SdsHub({ clock, emit, secrets, want: wantAlso });
  view.sds.hub = hub;
  view.atEnd(() => hub[Symbol.dispose]());
  return hub;
}
