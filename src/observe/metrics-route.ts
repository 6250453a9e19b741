import type { Route } from '../deliver/http/routes.ts';
import type { Scrape } from './scraper.ts';

/**
 * The route `/metrics`. It answers in OpenMetrics when the client accepts that, otherwise in Prometheus's text format.
 */
export function metricsRoute({ scrape }: { readonly scrape: Scrape }): Route {
  return {
    method: 'GET',
    path: '/metrics',
    async handle({ request }) {
      const isOpen = request.headers.accept?.includes('application/openmetrics-text') === true;
      const { type, body } = await scrape(isOpen ? 'openmetrics' : 'prometheus');
      return { status: 200, type, body };
    },
  };
}
