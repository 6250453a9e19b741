import type { OpenMetricsContentType, Registry } from 'prom-client';

/** The format of a scrape: https://prometheus.io/docs/instrumenting/exposition_formats/ */
export type Exposition = 'prometheus' | 'openmetrics';

/** The text of one scrape. Scrapes that come while a text is made share it. */
export type Scrape = (as: Exposition) => Promise<{ readonly type: string; readonly body: string }>;

/**
 * Makes the texts of a registry.
 * @param OpenRegistry the class of the registry.
 * @param before is awaited before each text.
 */
export function scraperOf(
  OpenRegistry: typeof Registry,
  registry: Registry,
  before: () => Promise<void> = async () => {},
): Scrape {
  const running = new Map<Exposition, Promise<{ type: string; body: string }>>();
  const make = async (as: Exposition) => {
    await before();
    if (as === 'prometheus') return { type: registry.contentType, body: await textOf(registry, '\n\n', '\n') };
    const open = new OpenRegistry<OpenMetricsContentType>();
    open.setContentType('application/openmetrics-text; version=1.0.0; charset=utf-8');
    copyTo(open, registry);
    return { type: open.contentType, body: await textOf(open, '\n', '\n# EOF\n') };
  };
  return (as) => {
    const scrape = running.get(as) ?? make(as).finally(() => running.delete(as));
    running.set(as, scrape);
    return scrape;
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
