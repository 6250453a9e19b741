import { HttpListener } from '../../deliver/http/listener.ts';
import { createService } from '../../deliver/http/routes.ts';
import { metricsRoute } from '../../observe/metrics-route.ts';
import type { ReviewOutcome } from '../server/server.ts';
import { createInjectorMetrics, type WatchedInjector } from './create-metrics.ts';

export interface ServedMetrics extends AsyncDisposable {
  reviewed(outcome: ReviewOutcome, durationMs: number): void;
}

/**
 * Counts reviews, and serves `/metrics` over HTTP on a port of its own, which Prometheus reaches without the authority
 * of the webhook.
 * @throws PannierError LISTEN_IN_USE or LISTEN_FAILED
 */
export async function serveMetrics(
  { host, port }: { readonly host: string; readonly port: number },
  injector: WatchedInjector,
): Promise<ServedMetrics> {
  const { reviewed, scrape } = await createInjectorMetrics(injector);
  const options = { where: { kind: 'tcp', host, port }, place: '--metrics' } as const;
  const listener = await HttpListener.open(options, createService([metricsRoute({ scrape })]));
  return { reviewed, [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose]() };
}
