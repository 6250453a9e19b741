import { type BackoffBounds, backoffMs, DEFAULT_BACKOFF } from '../../../base/backoff.ts';
import type { Clock } from '../../../base/clock.ts';
import type { Code } from '../../../base/codes.ts';
import { deadline } from '../../../base/deadline.ts';
import { asFailure, type Failure, fail } from '../../../base/errors.ts';
import type { KubeClient } from '../client/client.ts';
import type { ObjectRef } from '../client/object-ref.ts';
import { GONE, readEvent, type WatchEvent } from './event.ts';
import { Lines, LineTooLong } from './lines.ts';

export interface ObjectWatchDeps {
  readonly client: Pick<KubeClient, 'watch'>;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Called when the credential may not watch the object, once until it may. */
  readonly denied: (why: Failure) => void;
}

/** What may be wrong with a watch because of where it begins: a server that was restored is behind that version. */
const AT_ITS_VERSION: ReadonlySet<Code> = new Set([
  'BACKEND_UNAVAILABLE',
  'BACKEND_MALFORMED',
  'BACKEND_REJECTED',
] satisfies Code[]);

/** Who wants to know when the object changes. */
export interface Subscriber {
  /** The version that its last read brought; undefined: there was none. */
  version(): string | undefined;
  changed(): void;
}

/** A server ends each watch after a while: in 5 to 10 minutes, so that the watches of a fleet do not end together. */
const MIN_LIFE_S = 300;
/** What the end of a watch may be late. */
const OVERTIME_MS = 30_000;

/** A watch that lived for so long shows that all is well, however it ended. */
const LONG_MS = 30_000;

/** A watch that ends without an error is begun again within this. */
const ENDED: BackoffBounds = { ...DEFAULT_BACKOFF, capMs: 5_000 };
/** Each try shows a user who may not watch in the audit log of the cluster. */
const DENIED: BackoffBounds = { ...DEFAULT_BACKOFF, baseMs: 30_000, capMs: 300_000 };

/**
 * Watches one object until it is disposed of.
 *
 * 1. The watch begins at the version that a subscriber has read, so that nothing between that read and the watch is
 *    missed. Without such a version it begins at the present, and the server tells of the object if there is one.
 * 2. Each event of the object calls the subscribers that have another version. Bookmarks only move the place where the
 *    next watch begins.
 * 3. A watch that has ended begins again where it was. Until then `heardOf` has no answer, and polls ask the server.
 *    When it is open again, subscribers are called that have another version, or whose last read failed.
 * 4. When the server no longer has that version (410), or refused a watch at it twice, the subscribers are called,
 *    since a deletion may have been missed, and the watch begins at the present.
 *
 * The watch carries metadata only. So the values of an object pass through one place, the read that an event causes,
 * and none waits in a buffer here.
 */
export class ObjectWatch implements Disposable {
  readonly #object: ObjectRef;
  readonly #place: string;
  readonly #deps: ObjectWatchDeps;
  readonly #subscribers = new Set<Subscriber>();
  readonly #stop = new AbortController();
  /** A watch is open, and every event up to now has been told. */
  #isLive = false;
  /** When the server has sent something for the last time, on the monotonic clock. */
  #heardMonoMs = Number.NEGATIVE_INFINITY;
  /** The newest version of the object that is known here; undefined: none, or the object is deleted. */
  #version: string | undefined;
  /** Where the next watch begins; undefined: at the present. */
  #resumeAt: string | undefined;
  /** The next watch begins at the present, whatever was read. */
  #isAnew = false;
  #isDenied = false;

  constructor(object: ObjectRef, place: string, deps: ObjectWatchDeps) {
    this.#object = object;
    this.#place = place;
    this.#deps = deps;
  }

  get isUsed(): boolean {
    return this.#subscribers.size > 0;
  }

  add(subscriber: Subscriber): void {
    this.#subscribers.add(subscriber);
    if (this.#subscribers.size === 1) void this.#run();
    else if (this.#isLive && subscriber.version() !== this.#version) subscriber.changed();
  }

  remove(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
  }

  /**
   * When the server has last shown that the object has this version, on the monotonic clock: it sends a bookmark about
   * each minute. Undefined: the object has another version, or no watch is open. A server that hangs keeps a watch open
   * and would tell of nothing, so what was heard long ago is no answer for the present.
   */
  heardOf(version: string): number | undefined {
    return this.#isLive && this.#version === version ? this.#heardMonoMs : undefined;
  }

  [Symbol.dispose](): void {
    this.#isLive = false;
    this.#stop.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { clock, random } = this.#deps;
    let failures = 0;
    while (!signal.aborted) {
      const startedMs = clock.monoMs();
      const ended = await this.#once(random).catch((error: unknown) => asFailure(error, this.#place));
      this.#isLive = false;
      if (signal.aborted) return;
      if (ended === 'gone') {
        this.#startAnew();
        // The first one is no trouble; a server that says so again and again is not asked in a loop.
        if (failures === 0) {
          failures = 1;
          continue;
        }
      }
      failures = clock.monoMs() - startedMs >= LONG_MS ? 1 : failures + 1;
      const isDenied = typeof ended === 'object' && ended.code === 'SECRET_DENIED';
      if (isDenied && !this.#isDenied) this.#deps.denied(ended);
      this.#isDenied = isDenied;
      if (typeof ended === 'object' && failures === 2 && AT_ITS_VERSION.has(ended.code)) this.#startAnew();
      const after = typeof ended === 'object' ? ended.retryAfterMs : undefined;
      const bounds = isDenied ? DENIED : typeof ended === 'object' ? DEFAULT_BACKOFF : ENDED;
      await clock.sleep(backoffMs(failures, random, after, bounds), signal);
    }
  }

  /** Forgets where the watch was, and has the subscribers look. */
  #startAnew(): void {
    this.#isAnew = true;
    this.#resumeAt = undefined;
    this.#version = undefined;
    this.#call(() => true);
  }

  /** One watch, up to its end. @throws PannierError for every other end than those that a server chooses. */
  async #once(random: () => number): Promise<'ended' | 'gone'> {
    const { client, clock } = this.#deps;
    const lifeS = Math.round(MIN_LIFE_S * (1 + random()));
    const from = this.#isAnew ? undefined : (this.#resumeAt ?? this.#readVersion());
    const query = {
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(lifeS),
      ...(from === undefined ? {} : { resourceVersion: from }),
    };
    const answer = await client.watch(this.#object, query, this.#place, this.#stop.signal);
    if (answer.status === GONE) {
      answer.close();
      return 'gone';
    }
    // A half-open connection ends no stream: the kernel notices within a minute, and this limit at the latest.
    const cancel = deadline(clock, lifeS * 1000 + OVERTIME_MS, answer.close);
    try {
      if (this.#resumeAt === undefined) this.#version = from;
      this.#resumeAt = from;
      this.#isDenied = false;
      this.#isLive = true;
      this.#heardMonoMs = clock.monoMs();
      // No event tells of these. The first watch of all follows the first read, which tells of its own failure.
      if (from !== undefined) this.#call((version) => version !== this.#version);
      else if (this.#isAnew) this.#call((version) => version === undefined);
      this.#isAnew = false;
      const lines = new Lines();
      for await (const chunk of answer.chunks) {
        this.#heardMonoMs = clock.monoMs();
        for (const line of lines.add(chunk)) {
          const end = this.#take(readEvent(line));
          if (end !== undefined) return end;
        }
      }
      return 'ended';
    } catch (error) {
      if (error instanceof LineTooLong)
        throw fail('BACKEND_MALFORMED', this.#place, 'an event of the watch has no end');
      if ((error as { code?: unknown }).code === undefined) throw error;
      throw fail('BACKEND_UNREACHABLE', this.#place, 'the connection of the watch broke');
    } finally {
      this.#isLive = false;
      cancel();
      answer.close();
    }
  }

  #take(event: WatchEvent | undefined): 'ended' | 'gone' | undefined {
    switch (event?.kind) {
      case 'object':
      case 'deleted':
        this.#resumeAt = event.version;
        this.#version = event.kind === 'deleted' ? undefined : event.version;
        this.#call((version) => version !== this.#version);
        return undefined;
      case 'bookmark':
        this.#resumeAt = event.version;
        return undefined;
      case 'gone':
        return 'gone';
      case 'error':
        throw fail('BACKEND_UNAVAILABLE', this.#place, `the server ended the watch with ${event.code || 'an error'}`);
      default:
        throw fail('BACKEND_MALFORMED', this.#place, 'the watch brought a line that is no event');
    }
  }

  /** Has the subscribers look whose last read brought a version that `isOld` names; undefined: it failed. */
  #call(isOld: (version: string | undefined) => boolean): void {
    for (const one of [...this.#subscribers]) if (isOld(one.version())) one.changed();
  }

  #readVersion(): string | undefined {
    for (const one of this.#subscribers) {
      const version = one.version();
      if (version !== undefined) return version;
    }
    return undefined;
  }
}
