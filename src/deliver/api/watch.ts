import type { ServerResponse } from 'node:http';
import type { Reply } from '../http/reply.ts';
import type { Route, RouteRequest } from '../http/routes.ts';
import type { AnswerCache } from './answers.ts';
import type { ApiAgent } from './api-agent.ts';
import type { Audit } from './audit.ts';
import { EventsInFlight } from './in-flight.ts';
import { unknownSecret } from './secret-reads.ts';
import type { VisibleSecrets } from './visible.ts';
import { type EventSource, Watcher } from './watcher.ts';

export interface WatchRouteDeps extends Omit<EventSource, 'inFlight'> {
  readonly agent: ApiAgent;
  readonly visible: VisibleSecrets;
  readonly answers: AnswerCache;
  readonly audit: Audit;
}

/** How often a comment is sent, which shows each side that the other one is there. */
const HEARTBEAT_MS = 15_000;

/**
 * The route that sends changes as Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html).
 */
export function watchRoutes({ visible, audit }: WatchRouteDeps, watchers: Watchers): readonly Route[] {
  const handle = (asked: RouteRequest): Reply | undefined => {
    const named = new URLSearchParams(asked.query).getAll('secret');
    const unknown = named.find((name) => !visible.has(name));
    if (unknown !== undefined) {
      audit.missed('watch', 'unknown');
      return unknownSecret(unknown, visible);
    }
    if (asked.request.method === 'HEAD') return { status: 200, type: 'text/event-stream' };
    watchers.open(asked, named.length === 0 ? undefined : new Set(named));
    return undefined;
  };
  return [{ method: 'GET', path: '/v1/watch', handle }];
}

/** All clients that watch over one listener. */
export class Watchers {
  readonly #deps: WatchRouteDeps & EventSource;
  readonly #watchers = new Set<Watcher>();
  #cancelBeat: (() => void) | undefined;
  #isOver = false;

  constructor(deps: WatchRouteDeps) {
    this.#deps = { ...deps, inFlight: new EventsInFlight() };
  }

  /** @param names undefined: all secrets that the listener shows, now or later. */
  open({ request, response }: RouteRequest, names: ReadonlySet<string> | undefined): void {
    const { agent, visible } = this.#deps;
    begin(response);
    const watcher = new Watcher(response, this.#deps, names, this.#resumeAfter(request.headers['last-event-id']));
    this.#add(watcher);
    watcher.changed(names ?? visible.names());
    if (this.#isOver) watcher.end('the agent stops');
    this.#beatSoon(agent);
  }

  changed(names: ReadonlySet<string>): void {
    const { visible } = this.#deps;
    for (const watcher of this.#watchers) {
      const watched = watcher.names ?? visible;
      const changed = [...names].filter((name) => watched.has(name));
      if (changed.length > 0) watcher.changed(changed);
    }
  }

  /** Takes over the watchers of an earlier service whose secrets are all still shown; the others end with `before`. */
  takeOver(before: Watchers): void {
    const { visible } = this.#deps;
    for (const watcher of before.#watchers) {
      if (watcher.names !== undefined && ![...watcher.names].every((name) => visible.has(name))) continue;
      before.#watchers.delete(watcher);
      this.#add(watcher);
      watcher.moveTo(this.#deps);
      watcher.changed(watcher.names ?? visible.names());
    }
    this.#beatSoon(this.#deps.agent);
  }

  endAll(): void {
    this.#isOver = true;
    this.#cancelBeat?.();
    for (const watcher of [...this.#watchers])
      watcher.end('the listener ends, or no longer shows one of the watched secrets');
  }

  #add(watcher: Watcher): void {
    this.#watchers.add(watcher);
    watcher.onClose = () => this.#watchers.delete(watcher);
  }

  /** The number in an event id of this start of the agent; 0 for any other id, so that every secret is sent again. */
  #resumeAfter(lastEventId: string | string[] | undefined): number {
    const { agent } = this.#deps;
    const [bootId, number = ''] = String(lastEventId ?? '').split(/-(?=\d{1,15}$)/);
    const after = Number(number);
    return bootId === agent.bootId && number !== '' && after <= agent.secrets.snapshot([]).number ? after : 0;
  }

  #beatSoon({ clock }: ApiAgent): void {
    if (this.#cancelBeat !== undefined || this.#watchers.size === 0 || this.#isOver) return;
    this.#cancelBeat = clock.after(HEARTBEAT_MS, () => {
      this.#cancelBeat = undefined;
      for (const watcher of this.#watchers) watcher.beat();
      this.#beatSoon(this.#deps.agent);
    });
  }
}

function begin(response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  response.write('retry: 1000\n\n');
}
