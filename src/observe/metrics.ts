import { registerEvents } from './event-metrics.ts';
import type { HealthWatch } from './health-watch.ts';
import type { Observed } from './observed.ts';
import { registerProcess } from './process-metrics.ts';
import { type Scrape, scraperOf } from './scraper.ts';
import { registerSecrets } from './secret-metrics.ts';
import { registerStates } from './state-metrics.ts';
import { registerStatements } from './statement-metrics.ts';

export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}

/** All metrics of the agent; docs/metrics.md lists them. */
export interface Metrics extends Disposable {
  readonly scrape: Scrape;
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

  return {
    scrape: scraperOf(prom.Registry, registry, async () => {
      if (!isPruned) await events.prune();
      isPruned = true;
    }),
    list: () => registry.getMetricsAsArray() as unknown as readonly Metric[],
    [Symbol.dispose]() {
      for (const one of listening) one[Symbol.dispose]();
    },
  };
}
