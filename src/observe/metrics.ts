import type { OpenMetricsContentType, Registry } from 'prom-client';
import { registerEvents } from './event-metrics.ts';
import type { HealthWatch } from './health-watch.ts';
import type { Observed } from './observed.ts';
import { registerProcess } from './process-metrics.ts';
import { registerSecrets } from './secret-metrics.ts';
import { registerStates } from './state-metrics.ts';
import { registerStatements } from './statement-metrics.ts';

/** The format of a scrape: https://prometheus.io/docs/instrumenting/exposition_formats/ */
export type Exposition = 'prometheus' | 'openmetrics';

export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}

/** All metrics of the agent; docs/metrics.md lists them. */
export interface Metrics extends Disposable {
  /** The text of one scrape. Scrapes that come while a text is made share it. */
  scrape(as: Exposition): Promise<{ readonly type: string; readonly body: string }>;
  list(): readonly Metric[];
}

/**
 * Makes the metrics. Counters count from now on; all other series are made at the scrape, so that what is no longer
 * configured has none. Labels are configured names and words of Pannier's own, never a value or a path.
 */
export async function createMetrics(agent: Observed, watch: HealthWatch): Promise<Metrics> {
  const prom = await import('prom-client');
  const registry = new prom.Registry();
  registerStates(registry, agent, watch);
  registerStatements(registry, agent);
  registerSecrets(registry, agent);
  const events = registerEvents(registry, prom, agent);
  registerProcess(registry, agent.startedWallMs);
  const lag = new prom.Histogram({
    name: 'pannier_event_loop_lag_seconds',
    help: 'How late the event loop was, measured every two seconds.',
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 10],
    registers: [registry],
  });
  let isPruned = true;
  const listening = [
    watch.pulse.onBeat((lagMs) => lag.observe(lagMs / 1000)),
    agent.onFact((fact) => {
      events.count(fact);
      if (fact.kind === 'config-applied') isPruned = false;
    }),
  ];

  const running = new Map<Exposition, Promise<{ type: string; body: string }>>();
  const make = async (as: Exposition) => {
    if (!isPruned) await events.prune();
    isPruned = true;
    if (as === 'prometheus') return { type: registry.contentType, body: await textOf(registry, '\n\n', '\n') };
    const open = new prom.Registry<OpenMetricsContentType>();
    open.setContentType(prom.openMetricsContentType);
    copyTo(open, registry);
    return { type: open.contentType, body: await textOf(open, '\n', '\n# EOF\n') };
  };
  return {
    scrape(as) {
      const scrape = running.get(as) ?? make(as).finally(() => running.delete(as));
      running.set(as, scrape);
      return scrape;
    },
    list: () => registry.getMetricsAsArray() as unknown as readonly Metric[],
    [Symbol.dispose]() {
      for (const one of listening) one[Symbol.dispose]();
    },
  };
}

/** As `registry.metrics()`, but yields to other work after each metric: one of 10,000 secrets takes a while. */
async function textOf(
  registry: Pick<Registry, 'getMetricsAsArray' | 'getSingleMetricAsString'>,
  between: string,
  end: string,
): Promise<string> {
  const texts: string[] = [];
  for (const { name } of registry.getMetricsAsArray()) {
    texts.push(await registry.getSingleMetricAsString(name));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return texts.join(between) + end;
}

interface Readable {
  readonly name: string;
  readonly type: unknown;
  get(): Promise<object>;
  getForPromString?(): Promise<object>;
}

/**
 * Copies the metrics to a registry that writes OpenMetrics. That format has counters without `_total`, and prom-client
 * cuts the suffix off the registered metric for good, so it gets copies.
 */
function copyTo(open: Registry<OpenMetricsContentType>, registry: Registry): void {
  for (const metric of registry.getMetricsAsArray() as unknown as readonly Readable[]) {
    const name = metric.type === 'counter' ? metric.name.replace(/_total$/, '') : metric.name;
    const get = async () => ({ ...(await (metric.getForPromString?.() ?? metric.get())), name });
    open.registerMetric({ name, type: metric.type, get } as never);
  }
}
