import type { Metric, Registry } from 'prom-client';

/** The value of one series at one scrape. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ComputedOptions {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly labelNames?: readonly string[];
  /** Called at each scrape. */
  readonly samples: () => Iterable<Sample>;
}

/**
 * Registers a metric whose series are made at each scrape and not kept: a removed secret has no series, and 10,000
 * secrets cost nothing between two scrapes. The registry takes any object with `get` for a metric.
 */
export function registerComputed(registry: Registry, { samples, labelNames = [], ...rest }: ComputedOptions): void {
  const metric = { ...rest, labelNames, get: async () => ({ ...rest, aggregator: 'sum', values: [...samples()] }) };
  registry.registerMetric(metric as unknown as Metric);
}

/** The one series of a metric without labels. */
export const only = (value: number): Sample[] => [{ labels: {}, value }];

/** Milliseconds as seconds, the unit of Prometheus, to the millisecond. */
export const seconds = (ms: number): number => Math.round(ms) / 1000;
