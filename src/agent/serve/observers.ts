import type { AdminConfig, ListenConfig } from '../../config/config.ts';
import type { Route } from '../../deliver/http/routes.ts';
import type { Service } from '../../deliver/service.ts';
import type { HealthWatch } from '../../observe/health-watch.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { RecentEvents } from '../../observe/page/recent-events.ts';
import type { AgentView } from './agent-view.ts';

/** What is made once for an agent and outlives its configurations, so that no counter begins anew. */
interface Observers {
  watch?: Promise<HealthWatch>;
  metrics?: Promise<Metrics>;
  events?: Promise<RecentEvents>;
}

const observersOf = new WeakMap<AgentView, Observers>();

/**
 * `/startupz`, `/readyz` and `/livez`, for each listener that shows health.
 * @param maxTold see `createHealthRoutes`.
 */
export async function healthRoutes(view: AgentView, maxTold?: number): Promise<readonly Route[]> {
  const { createHealthRoutes } = await import('../../observe/health-routes.ts');
  return createHealthRoutes(await watchOf(view), maxTold);
}

/** The service of the admin listener: health, metrics and the status page, never a value. */
export async function createAdmin(view: AgentView, { where, page: hasPage }: AdminConfig): Promise<Service> {
  const { metricsRoute } = await import('../../observe/metrics-route.ts');
  const { indexRoute } = await import('../../observe/index-route.ts');
  const { createService } = await import('../../deliver/http/routes.ts');
  const { overHttp } = await import('../../deliver/http/over-http.ts');
  const page = hasPage ? await pageOf(view, where) : undefined;
  const routes = [...(await healthRoutes(view)), metricsRoute(await metricsOf(view)), ...(page?.routes ?? [])];
  const service = createService([indexRoute(routes), ...routes]);
  if (page === undefined) return overHttp(service);
  return overHttp({ ...service, [Symbol.asyncDispose]: async () => page[Symbol.dispose]() });
}

async function pageOf(view: AgentView, where: ListenConfig) {
  const { createAgentPage } = await import('./agent-page.ts');
  const observers = observersFor(view);
  const watch = await watchOf(view);
  observers.events ??= (async () => {
    const { RecentEvents } = await import('../../observe/page/recent-events.ts');
    const events = new RecentEvents(
      () => view.clock.wallMs(),
      (name) => view.plan().config.secrets.has(name),
    );
    const listening = view.onFact((fact) => events.notice(fact));
    view.atEnd(() => listening[Symbol.dispose]());
    return events;
  })();
  return createAgentPage(view, where, watch, await observers.events);
}

function watchOf(view: AgentView): Promise<HealthWatch> {
  const observers = observersFor(view);
  observers.watch ??= (async () => {
    const { HealthWatch } = await import('../../observe/health-watch.ts');
    return disposedAtEnd(view, new HealthWatch(view));
  })();
  return observers.watch;
}

function metricsOf(view: AgentView): Promise<Metrics> {
  const observers = observersFor(view);
  observers.metrics ??= (async () => {
    const watch = await watchOf(view);
    const { createMetrics } = await import('../../observe/metrics.ts');
    return disposedAtEnd(view, await createMetrics(view, watch));
  })();
  return observers.metrics;
}

function disposedAtEnd<T extends Disposable>(view: AgentView, observer: T): T {
  view.atEnd(() => observer[Symbol.dispose]());
  return observer;
}

function observersFor(view: AgentView): Observers {
  const observers = observersOf.get(view) ?? {};
  observersOf.set(view, observers);
  return observers;
}
