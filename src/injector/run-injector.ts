import type { Emit } from '../base/fact.ts';
import type { CertificateSource } from '../http/serving/pair.ts';
import type { WatchedInjector } from './metrics/create-metrics.ts';
import { InjectorServer } from './server/server.ts';
import type { InjectorDefaults } from './settings.ts';

export interface InjectorOptions {
  readonly host: string;
  readonly port: number;
  readonly defaults: InjectorDefaults;
  readonly certificate: CertificateSource;
  /** Where `/metrics` is served over HTTP. Absent: nothing is counted. */
  readonly metrics?: { readonly host: string; readonly port: number };
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** Called when the server listens. */
  readonly onListening?: () => void;
}

/**
 * Serves the webhook until `signal` aborts.
 * @throws PannierError when there is no certificate to begin with, or the port is taken.
 */
export async function runInjector(options: InjectorOptions): Promise<void> {
  const { host, port, defaults, certificate, emit, signal, onListening } = options;
  let pair = await certificate.first();
  const isReady = () => certificate.isTrusted() && !signal.aborted;
  const watched = { startedWallMs: Date.now(), certificate: () => pair.certificate, isReady };
  await using metrics = await servedMetrics(options.metrics, watched);
  const counting = metrics === undefined ? {} : { onReviewed: metrics.reviewed };
  await using server = await InjectorServer.open({ host, port, pair, defaults, emit, isReady, ...counting });
  emit({ kind: 'injector-listening', where: `${host}:${server.port}` });
  onListening?.();
  const stopped = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const fresh = certificate.keepFresh((next) => {
    if (signal.aborted) return;
    pair = next;
    server.use(next);
    emit({ kind: 'injector-certificate' });
  }, signal);
  // A stop does not wait for an API server that is silent: a request to it may take ten seconds.
  await Promise.race([fresh, stopped]);
}

async function servedMetrics(where: InjectorOptions['metrics'], injector: WatchedInjector) {
  if (where === undefined) return undefined;
  const { serveMetrics } = await import('./metrics/serve-metrics.ts');
  return await serveMetrics(where, injector);
}
