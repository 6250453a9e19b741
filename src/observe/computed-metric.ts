import type { Metric, Registry } from 'prom-client';

/** One series at one scrape. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ComputedOptions {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly labelNames?: readonly string[];
  /** Asked at each scrape. */
  readonly samples: () => Iterable<Sample>;
}

/**
 * A metric whose series are made at the scrape and kept nowhere: what is gone has no series, and 10,000 secrets cost
 * nothing between two scrapes. To the registry a metric is whatever has `get`.
 */
export function registerComputed(registry: Registry, { samples, labelNames = [], ...rest }: ComputedOptions): void {
  const metric = { ...rest, labelNames, get: async () => ({ ...rest, aggregator: 'sum', values: [...samples()] }) };
  registry.registerMetric(metric as unknown as Metric);
}

/** The one series of a metric without labels. */
export const only = (value: number): Sample[] => [{ labels: {}, value }];

/** To the millisecond, as Prometheus counts. */
export const seconds = (ms: number): number => Math.round(ms) / 1000;
