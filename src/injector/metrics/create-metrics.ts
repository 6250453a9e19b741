import { loadCrypto } from '../../base/node-crypto.ts';
import { only, registerComputed, seconds } from '../../observe/computed-metric.ts';
import type { Metric } from '../../observe/metrics.ts';
import { registerProcess } from '../../observe/process-metrics.ts';
import { type Scrape, scraperOf } from '../../observe/scraper.ts';
import type { ReviewOutcome } from '../server/server.ts';

/** From a configuration that is known to the time that the API server waits by default. */
const REVIEW_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 10];

const OUTCOMES: readonly ReviewOutcome[] = ['injected', 'unchanged', 'denied', 'refused', 'failed'];

/** All metrics of the injector; docs/injector.md lists them. */
export interface InjectorMetrics {
  reviewed(outcome: ReviewOutcome, durationMs: number): void;
  readonly scrape: Scrape;
  list(): readonly Metric[];
}

export interface WatchedInjector {
  readonly startedWallMs: number;
  /** The certificate that is shown now, in PEM. */
  certificate(): string;
  isReady(): boolean;
}

/** Makes the metrics; they count from now on. No label is taken from a pod. */
export async function createInjectorMetrics(injector: WatchedInjector): Promise<InjectorMetrics> {
  const { Counter, Histogram, Registry } = await import('prom-client');
  const registry = new Registry();
  const registers = [registry];
  const reviews = new Counter({
    name: 'pannier_injector_reviews_total',
    help: 'Reviews by what became of them: `denied` is a pod with wrong annotations, `refused` a request that is no review.',
    labelNames: ['outcome'],
    registers,
  });
  // Series begin at 0: if one began with its first event, rate() would not see that event.
  for (const outcome of OUTCOMES) reviews.inc({ outcome }, 0);
  const durations = new Histogram({
    name: 'pannier_injector_review_duration_seconds',
    help: 'Duration of reviews, from the head of the request to its answer.',
    buckets: REVIEW_SECONDS,
    registers,
  });
  registerComputed(registry, {
    name: 'pannier_injector_certificate_expiry_timestamp_seconds',
    help: 'When the certificate of the webhook ends.',
    type: 'gauge',
    samples: () => only(seconds(endOf(injector.certificate()))),
  });
  registerComputed(registry, {
    name: 'pannier_injector_ready',
    help: 'Whether `/readyz` says yes.',
    type: 'gauge',
    samples: () => only(injector.isReady() ? 1 : 0),
  });
  registerProcess(registry, injector.startedWallMs);
  return {
    reviewed(outcome, durationMs) {
      reviews.inc({ outcome });
      durations.observe(durationMs / 1000);
    },
    scrape: scraperOf(Registry, registry),
    list: () => registry.getMetricsAsArray() as unknown as readonly Metric[],
  };
}

const endOf = (pem: string): number => Date.parse(new (loadCrypto().X509Certificate)(pem).validTo);
