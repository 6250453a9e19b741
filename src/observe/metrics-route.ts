import type { Route } from '../deliver/http/routes.ts';
import type { Exposition, Scrape } from './scraper.ts';

/** The route `/metrics`: OpenMetrics for clients that would rather have it, otherwise Prometheus's text format. */
export function metricsRoute({ scrape }: { readonly scrape: Scrape }): Route {
  return {
    method: 'GET',
    path: '/metrics',
    async handle({ request }) {
      const { type, body } = await scrape(preferred(request.headers.accept));
      return { status: 200, type, body };
    },
  };
}

const OPEN = 'application/openmetrics-text';
const VERSIONS: ReadonlySet<string> = new Set(['1.0.0', '0.0.1']);

/**
 * The format with the greater weight. A client that names OpenMetrics and gives the text format no greater weight gets
 * OpenMetrics; anything else gets text, and so does OpenMetrics in a version that is not written here.
 */
export function preferred(accept = ''): Exposition {
  const weight = { open: 0, text: 0 };
  for (const range of accept.toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    const parameter = (name: string) => parameters.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1);
    const q = Number(parameter('q') ?? 1);
    const version = parameter('version')?.replaceAll('"', '');
    if (type === OPEN && (version === undefined || VERSIONS.has(version))) weight.open = Math.max(weight.open, q);
    else if (type === 'text/plain') weight.text = Math.max(weight.text, q);
  }
  return weight.open > 0 && weight.open >= weight.text ? 'openmetrics' : 'prometheus';
}
