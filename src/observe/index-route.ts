import type { Route } from '../deliver/http/routes.ts';

const WORDS: Readonly<Record<string, string>> = {
  '/startupz': 'whether everything was published once',
  '/readyz': 'whether secrets and outputs can be relied on',
  '/livez': 'whether nothing stalls',
  '/metrics': 'metrics for Prometheus',
  '/status': 'the status page',
};

/** The route `/`: what there is on the admin listener. It says nothing of this agent. */
export function indexRoute(routes: readonly Route[]): Route {
  const items = routes.flatMap(({ path }) => {
    const words = WORDS[path];
    return words === undefined ? [] : `<li><a href="${path.slice(1)}">${path}</a>: ${words}</li>`;
  });
  const body = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Pannier</title><h1>Pannier</h1><ul>${items.join('')}</ul></html>\n`;
  const headers = {
    'Content-Security-Policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
  };
  return {
    method: 'GET',
    path: '/',
    handle: () => ({ status: 200, type: 'text/html; charset=utf-8', body, headers }),
  };
}
