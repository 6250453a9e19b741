import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { type Failure, failure } from '../base/errors.ts';
import type { Feed, FeedReport, Topic } from './feed.ts';
import { Pause } from './pause.ts';
import { connectRelay, type RelayDeps, type RelayStream } from './relay-connection.ts';
import type { RelayLine } from './relay-protocol.ts';

export interface RelayFeedOptions extends RelayDeps {
  readonly urls: readonly string[];
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly report: FeedReport;
}

/** A lost connection that is there again in this time, and has missed nothing, was not lost. */
export const RESUME_MS = 10_000;

/** New topics are gathered for so long before the relay is told of them. */
const GATHER_MS = 100;

/** A connection that lasted so long was a good one: the next one is made at once. */
const GOOD_MS = 30_000;

/**
 * The feed of an agent on another machine than the server: relays beside the nodes of the server read the audit logs,
 * see `pannier notify`. A change is written down by the node that is active then, so the feed is up only while every
 * relay is connected and live, and one of them is beside the active node.
 */
export class RelayFeed implements Feed {
  readonly #topics = new Map<Topic, boolean>();
  readonly #relays: readonly Relay[];
  readonly #report: FeedReport;
  readonly #clock: Clock;
  #cancelGathering: (() => void) | undefined;
  /** The last reason that was told; undefined: the feed is up, null: nothing was told yet. */
  #why: string | undefined | null = null;
  #isOver = false;

  constructor(options: RelayFeedOptions) {
    this.#report = options.report;
    this.#clock = options.clock;
    this.#relays = options.urls.map(
      (url) =>
        new Relay(url, options, {
          topics: () => [...this.#topics.keys()],
          settle: () => this.#settle(),
          told: (topic, isBroad) => {
            if (!this.#topics.has(topic)) return;
            options.report.event();
            topic.changed(isBroad);
          },
        }),
    );
  }

  add(topic: Topic): void {
    this.#topics.set(topic, false);
    if (this.#isOver || this.#cancelGathering !== undefined) return;
    this.#cancelGathering = this.#clock.after(GATHER_MS, () => {
      this.#cancelGathering = undefined;
      for (const relay of this.#relays) relay.subscribe();
    });
  }

  remove(topic: Topic): void {
    this.#topics.delete(topic);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    this.#cancelGathering?.();
    this.#topics.clear();
    await Promise.all(this.#relays.map((relay) => relay.close()));
  }

  /** Tells topics and the agent what holds now. */
  #settle(): void {
    if (this.#isOver) return;
    const down = this.#relays.flatMap(({ why }) => why ?? [])[0];
    const hasActive = this.#relays.some(({ role }) => role === 'active');
    const { place } = this.#relays[0] as Relay;
    const why = down ?? (hasActive ? undefined : failure('FEED_DOWN', place, 'no relay is beside the active node'));
    for (const [topic, before] of this.#topics) {
      const isCovered = why === undefined && this.#relays.every((relay) => relay.has(topic));
      if (isCovered === before) continue;
      this.#topics.set(topic, isCovered);
      topic.covered(isCovered);
    }
    if (this.#why === why?.seen) return;
    this.#why = why?.seen;
    this.#report.live(why);
  }
}

interface RelayUser {
  topics(): readonly Topic[];
  settle(): void;
  told(topic: Topic, isBroad: boolean): void;
}

/** One relay, to which a connection is made again and again. */
class Relay {
  readonly place: string;
  readonly #url: string;
  readonly #options: RelayFeedOptions;
  readonly #user: RelayUser;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #listed: readonly Topic[] = [];
  #known: ReadonlySet<Topic> = new Set();
  #stream: RelayStream | undefined;
  #last: RelayLine | undefined;
  #failure: Failure | undefined;
  #cancelResuming = () => {};
  #isResuming = false;
  #mustSubscribe = false;
  readonly #pause = new Pause();

  constructor(url: string, options: RelayFeedOptions, user: RelayUser) {
    this.#url = url;
    this.#options = options;
    this.#user = user;
    this.place = options.place;
    this.#failure = failure('FEED_DOWN', options.place, `${url}: not connected yet`);
    this.#done = this.#keepConnected();
  }

  /** Why this relay does not tell all changes. */
  get why(): Failure | undefined {
    return this.#failure;
  }

  get role(): RelayLine['role'] | undefined {
    return this.#last?.role;
  }

  has(topic: Topic): boolean {
    return this.#known.has(topic);
  }

  /** Tells the relay of the topics that there are now. */
  subscribe(): void {
    this.#mustSubscribe = true;
    this.#stream?.close();
    this.#pause.wake();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#cancelResuming();
    this.#stream?.close();
    this.#pause.wake();
    await this.#done;
  }

  async #keepConnected(): Promise<void> {
    const { clock, random } = this.#options;
    const { signal } = this.#stop;
    let failures = 0;
    while (!signal.aborted) {
      if (this.#user.topics().length === 0) {
        await this.#wait(RESUME_MS);
        continue;
      }
      this.#mustSubscribe = false;
      const beganMonoMs = clock.monoMs();
      const why = await this.#connectOnce();
      if (signal.aborted) return;
      if (this.#mustSubscribe && why === undefined) continue;
      this.#lost(why ?? 'the connection was closed');
      failures = clock.monoMs() - beganMonoMs >= GOOD_MS ? 1 : failures + 1;
      await this.#wait(backoffMs(failures, random));
    }
  }

  /** Resolves when the connection has ended, to why. Undefined: it was closed here. */
  async #connectOnce(): Promise<string | undefined> {
    const topics = this.#user.topics();
    const since = this.#last?.at;
    let isFirst = true;
    const request = { topics: topics.map(({ marks }) => marks), ...(since === undefined ? {} : { since }) };
    this.#stream = connectRelay(this.#url, request, this.#options, (line) => {
      if (isFirst) this.#began(topics, line);
      isFirst = false;
      this.#heard(line);
    });
    const why = await this.#stream.ended;
    this.#stream = undefined;
    return why;
  }

  #began(topics: readonly Topic[], line: RelayLine): void {
    const hasMissed = this.#failure === undefined && line.isResumed !== true;
    this.#cancelResuming();
    this.#isResuming = false;
    this.#listed = topics;
    if (hasMissed) this.#down('changes may have been missed');
    this.#known = new Set(topics);
  }

  #heard(line: RelayLine): void {
    this.#last = line;
    const why = line.live ? undefined : (line.why ?? 'the log is not read');
    this.#failure = why === undefined ? undefined : failure('FEED_DOWN', this.place, `${this.#url}: ${why}`);
    this.#user.settle();
    for (const number of line.changed ?? []) this.#tell(number, false);
    for (const number of line.broad ?? []) this.#tell(number, true);
  }

  #tell(number: number, isBroad: boolean): void {
    const topic = this.#listed[number];
    if (topic !== undefined) this.#user.told(topic, isBroad);
  }

  /** A relay that was live may be there again soon, and have kept what was missed. */
  #lost(why: string): void {
    if (this.#failure !== undefined) this.#down(why);
    if (this.#failure !== undefined || this.#isResuming) return;
    this.#isResuming = true;
    this.#cancelResuming = this.#options.clock.after(RESUME_MS, () => {
      this.#isResuming = false;
      this.#down(why);
    });
  }

  #down(why: string): void {
    this.#failure = failure('FEED_DOWN', this.place, `${this.#url}: ${why}`);
    this.#user.settle();
  }

  #wait(ms: number): Promise<void> {
    return this.#pause.wait(this.#options.clock, ms, this.#stop.signal.aborted || this.#mustSubscribe);
  }
}
