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

/** A comment in so long shows both sides that the other one is there. */
const HEARTBEAT_MS = 15_000;

/** Changes as Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export function watchRoutes({ visible, audit }: WatchRouteDeps, watchers: Watchers): readonly Route[] {
  const handle = (asked: RouteRequest): Reply | undefined => {
    const named = new URLSearchParams(asked.query).getAll('secret');
    if (!named.every((name) => visible.has(name))) {
      audit.missed('watch', 'unknown');
      return unknownSecret();
    }
    if (asked.request.method === 'HEAD') return { status: 200, type: 'text/event-stream' };
    watchers.open(asked, named.length === 0 ? undefined : new Set(named));
    return undefined;
  };
  return [{ method: 'GET', path: '/v1/watch', handle }];
}

/** Everybody who watches over one listener. */
export class Watchers {
  readonly #options: WatchRouteDeps & EventSource;
  readonly #watchers = new Set<Watcher>();
  #callOffBeat: (() => void) | undefined;
  #isOver = false;

  constructor(parts: WatchRouteDeps) {
    this.#options = { ...parts, inFlight: new EventsInFlight() };
  }

  /** @param names absent: all that the listener shows, also later ones. */
  open({ request, response }: RouteRequest, names: ReadonlySet<string> | undefined): void {
    const { agent, visible } = this.#options;
    begin(response);
    const watcher = new Watcher(response, this.#options, names, this.#resumeAfter(request.headers['last-event-id']));
    this.#add(watcher);
    watcher.changed(names ?? visible.names());
    if (this.#isOver) watcher.end('the agent stops');
    this.#beatSoon(agent);
  }

  changed(names: ReadonlySet<string>): void {
    const { visible } = this.#options;
    for (const watcher of this.#watchers) {
      const all = watcher.names ?? visible;
      const heard = [...names].filter((name) => all.has(name));
      if (heard.length > 0) watcher.changed(heard);
    }
  }

  /** Those whose secrets are still shown go on here; the others end with the ones they came from. */
  takeOver(before: Watchers): void {
    const { visible } = this.#options;
    for (const watcher of before.#watchers) {
      if (watcher.names !== undefined && ![...watcher.names].every((name) => visible.has(name))) continue;
      before.#watchers.delete(watcher);
      this.#add(watcher);
      watcher.moveTo(this.#options);
      watcher.changed(watcher.names ?? visible.names());
    }
    this.#beatSoon(this.#options.agent);
  }

  endAll(): void {
    this.#isOver = true;
    this.#callOffBeat?.();
    for (const watcher of [...this.#watchers]) watcher.end('no longer served here');
  }

  #add(watcher: Watcher): void {
    this.#watchers.add(watcher);
    watcher.onClose = () => this.#watchers.delete(watcher);
  }

  /** The number in an id of this start of the agent; another id is as good as none: everything comes anew. */
  #resumeAfter(lastEventId: string | string[] | undefined): number {
    const { agent } = this.#options;
    const [bootId, number = ''] = String(lastEventId ?? '').split(/-(?=\d{1,15}$)/);
    const after = Number(number);
    return bootId === agent.bootId && number !== '' && after <= agent.secrets.snapshot([]).number ? after : 0;
  }

  #beatSoon({ clock }: ApiAgent): void {
    if (this.#callOffBeat !== undefined || this.#watchers.size === 0 || this.#isOver) return;
    this.#callOffBeat = clock.after(HEARTBEAT_MS, () => {
      this.#callOffBeat = undefined;
      for (const watcher of this.#watchers) watcher.beat();
      this.#beatSoon(this.#options.agent);
    });
  }
}

function begin(response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  response.write('retry: 1000\n\n');
}
