import { isIP } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import type { ListenConfig } from '../../config/config.ts';
import { isLoopback } from '../../config/host-port.ts';
import { hostOf } from '../../deliver/http/guard.ts';
import { type Reply, refusal } from '../../deliver/http/reply.ts';
import type { Route, RouteRequest } from '../../deliver/http/routes.ts';
import { renderMain, renderPage } from './render-page.ts';
import { SCRIPT } from './script.ts';
import type { Shown } from './shown.ts';
import { STYLE } from './style.ts';
import { MAX_VIEWERS, Viewers } from './viewers.ts';

export interface PageDeps {
  readonly clock: Clock;
  readonly where: ListenConfig;
  /** What the page shows now. */
  readonly shown: () => Shown;
}

/** The status page: its routes, and what it is told. Disposing it ends the browsers' streams. */
export interface Page extends Disposable {
  readonly routes: readonly Route[];
  /** Something may look different now. */
  changed(): void;
}

/**
 * Nothing from elsewhere, nothing inline, in no frame, and no form: should a name ever get unescaped into the page, a
 * browser would still run nothing of it and send nothing anywhere.
 */
const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** Makes the status page of one admin listener. */
export function createPage({ clock, where, shown }: PageDeps): Page {
  const viewers = new Viewers(clock, () => renderMain(shown()).text);
  const guarded = (path: string, handle: (asked: RouteRequest) => Reply | undefined): Route => ({
    method: 'GET',
    path,
    handle: (asked) => (mayAsk(asked, where) ? handle(asked) : ANOTHER_HOST),
  });
  const text = (type: string, body: () => string) => () => {
    return { status: 200, type: `${type}; charset=utf-8`, body: body(), headers: HEADERS };
  };
  return {
    routes: [
      guarded(
        '/status',
        text('text/html', () => renderPage(shown())),
      ),
      guarded(
        '/status/style.css',
        text('text/css', () => STYLE),
      ),
      guarded(
        '/status/script.js',
        text('text/javascript', () => SCRIPT),
      ),
      guarded('/status/events', ({ request, response }) => {
        if (request.method === 'HEAD') return { status: 200, type: 'text/event-stream' };
        if (!viewers.hasRoom) return TOO_MANY;
        viewers.add(response);
        return undefined;
      }),
    ],
    changed: () => viewers.changed(),
    [Symbol.dispose]: () => viewers[Symbol.dispose](),
  };
}

const TOO_MANY = refusal(503, 'API_BUSY', `${MAX_VIEWERS} browsers follow the page already`, { 'Retry-After': '10' });

const ANOTHER_HOST = refusal(
  421,
  'API_HOST',
  'the Host header is a name that the page is not known by',
  HEADERS,
  'Use localhost, an IP address, or the name in admin.listen.',
);

/**
 * A page of evil.example, whose name resolves to this machine by now, makes the browser send its own name (DNS
 * rebinding). An address in its place cannot be rebound, and one who comes by it is meant.
 */
function mayAsk({ request }: RouteRequest, where: ListenConfig): boolean {
  if (where.kind === 'unix') return true;
  const host = hostOf(request.headers.host ?? '');
  return isLoopback(host) || isIP(host) !== 0 || (host !== '' && host === where.host.toLowerCase());
}
