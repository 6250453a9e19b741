import type { Clock } from '../../../base/clock.ts';
import type { Failure } from '../../../base/errors.ts';
import type { Emit } from '../../../base/fact.ts';
import type { Environment } from '../../../config/environment.ts';
import type { Proof } from '../../../feed/audit-log.ts';
import { AuditFileFeed, type Feed, type FeedReport } from '../../../feed/feed.ts';
import type { Want, Watching, WatchListener } from '../../backend.ts';
import { readCredential } from '../../credential-file.ts';
import type { FeedView } from '../../feed-view.ts';
import { type VaultClient, VaultStatusError } from '../client/client.ts';
import type { EventsConfig, VaultBackendConfig } from '../config/config.ts';
import type { VaultRequest } from '../config/request.ts';
import { marksOf } from './marks-of.ts';
import { ToldWant } from './told-want.ts';

export interface VaultEventsDeps {
  readonly config: VaultBackendConfig & { readonly events: EventsConfig };
  readonly client: VaultClient;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly emit: Emit;
  /** For proxy variables. */
  readonly env: Environment;
  /** Pannier's version. */
  readonly version: string;
}

/**
 * Has secrets of a server read when the server's audit log says that they were written, until it is disposed of.
 * Nothing is lost without it: what the log does not tell of, and everything while it cannot be read, is polled.
 */
export class VaultEvents implements AsyncDisposable {
  readonly #deps: VaultEventsDeps;
  readonly #opening: Promise<Feed>;
  readonly #told = new Set<ToldWant>();
  #view: FeedView;

  constructor(deps: VaultEventsDeps) {
    this.#deps = deps;
    this.#view = { isUp: false, sinceWallMs: deps.clock.wallMs(), events: 0 };
    this.#opening = openFeed(deps, { live: (why) => this.#live(why), event: () => this.#event() });
  }

  view(): FeedView {
    return this.#view;
  }

  /** @param own what watches the want already: it looks when the log tells of the want, and ends with this. */
  watch(want: Want, listener: WatchListener, own: Watching | undefined): Disposable {
    const written = own === undefined ? () => listener.written() : () => own.look?.();
    const told = this.#tell(want, { written, covered: (pollMs) => listener.covered(pollMs) });
    return {
      [Symbol.dispose]: () => {
        own?.[Symbol.dispose]();
        told?.[Symbol.dispose]();
      },
    };
  }

  /** Undefined: the log does not tell of this want. */
  #tell({ request }: Want, listener: Pick<WatchListener, 'written' | 'covered'>): Disposable | undefined {
    const { config, clock, random } = this.#deps;
    const wanted = marksOf(request as VaultRequest, config.namespace);
    // Parts of such a path are secret values: it is told to nobody.
    const isPrivate = 'isPathPrivate' in request && request['isPathPrivate'] === true;
    if (wanted === undefined || (isPrivate && config.events.kind === 'relay')) return undefined;
    const told = new ToldWant(wanted, listener, { clock, random, pollMs: config.events.pollMs });
    this.#told.add(told);
    void this.#opening.then((feed) => {
      if (this.#told.has(told)) feed.add(told);
    });
    return {
      [Symbol.dispose]: () => {
        this.#told.delete(told);
        told[Symbol.dispose]();
        void this.#opening.then((feed) => feed.remove(told));
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const told of this.#told) told[Symbol.dispose]();
    this.#told.clear();
    await (await this.#opening)[Symbol.asyncDispose]();
  }

  #live(why: Failure | undefined): void {
    const { clock, emit, config } = this.#deps;
    const { isUp, sinceWallMs, failure: before, ...view } = this.#view;
    const isOther = isUp !== (why === undefined);
    this.#view = {
      ...view,
      isUp: why === undefined,
      sinceWallMs: isOther ? clock.wallMs() : sinceWallMs,
      ...(why === undefined ? {} : { failure: why }),
    };
    if (why === undefined) emit({ kind: 'feed-up', backend: config.name });
    else if (isOther || before?.seen !== why.seen) emit({ kind: 'feed-down', backend: config.name, failure: why });
  }

  #event(): void {
    this.#view = { ...this.#view, events: this.#view.events + 1, lastEventWallMs: this.#deps.clock.wallMs() };
  }
}

/** Opens the feed that the configuration names. */
export async function openFeed(deps: VaultEventsDeps, report: FeedReport): Promise<Feed> {
  const { config, client, clock } = deps;
  const place = `backends.${config.name}.events`;
  const { events } = config;
  if (events.kind === 'relay') {
    const { RelayFeed } = await import('../../../feed/relay-feed.ts');
    const { random, env, version } = deps;
    const { urls, tls, tokenFile } = events;
    const readToken =
      tokenFile === undefined
        ? undefined
        : (signal: AbortSignal) => readCredential(tokenFile, `${place}.tokenFile`, signal);
    return new RelayFeed({ urls, tls, readToken, place: `${place}.url`, clock, random, env, version, report });
  }
  const at = `${place}.auditFile`;
  return new AuditFileFeed(
    { path: events.auditFile, place: at, clock, probe: (name, signal) => probe(client, name, at, signal) },
    report,
  );
}

/** A request that every server takes without a token, refuses, and writes into its log. */
async function probe(client: VaultClient, name: string, place: string, signal: AbortSignal): Promise<Proof> {
  const path = `sys/internal/ui/mounts/${name}`;
  try {
    await client.call({ method: 'GET', path, place, idempotent: true }, signal);
  } catch (error) {
    if (!(error instanceof VaultStatusError) || error.status >= 500) throw error;
  }
  return 'here';
}
