import type { Route } from '../../deliver/http/routes.ts';
import type { Service } from '../../deliver/service.ts';
import type { HealthWatch } from '../../observe/health-watch.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { AgentView } from './agent-view.ts';

/** What is made once for an agent and outlives its configurations: a counter never starts anew. */
interface Kept {
  watch?: Promise<HealthWatch>;
  metrics?: Promise<Metrics>;
}

const keptOf = new WeakMap<AgentView, Kept>();

/** `/startupz`, `/readyz` and `/livez`, for every listener that is to have them. */
export async function healthRoutes(view: AgentView, mostTold?: number): Promise<readonly Route[]> {
  const { createHealthRoutes: healthRoutes } = await import('../../observe/health-routes.ts');
  return healthRoutes(await watchOf(view), mostTold);
}

/** What answers on the admin listener: health and metrics, never a value. */
export async function createAdmin(view: AgentView): Promise<Service> {
  const { metricsRoute } = await import('../../observe/metrics-route.ts');
  const { createService } = await import('../../deliver/http/routes.ts');
  const { overHttp } = await import('../../deliver/http/over-http.ts');
  return overHttp(createService([...(await healthRoutes(view)), metricsRoute(await metricsOf(view))]));
}

function watchOf(view: AgentView): Promise<HealthWatch> {
  const kept = keptFor(view);
  kept.watch ??= (async () => {
    const { HealthWatch } = await import('../../observe/health-watch.ts');
    return atEnd(view, new HealthWatch(view));
  })();
  return kept.watch;
}

function metricsOf(view: AgentView): Promise<Metrics> {
  const kept = keptFor(view);
  kept.metrics ??= (async () => {
    const watch = await watchOf(view);
    const { createMetrics } = await import('../../observe/metrics.ts');
    return atEnd(view, await createMetrics(view, watch));
  })();
  return kept.metrics;
}

function atEnd<T extends Disposable>(view: AgentView, made: T): T {
  view.atEnd(() => made[Symbol.dispose]());
  return made;
}

function keptFor(view: AgentView): Kept {
  const kept = keptOf.get(view) ?? {};
  keptOf.set(view, kept);
  return kept;
}
