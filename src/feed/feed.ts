import type { Clock } from '../base/clock.ts';
import type { Failure } from '../base/errors.ts';
import { AuditLog, type AuditLogOptions } from './audit-log.ts';
import { type Marks, Topics } from './marks.ts';

/** Somebody who is told of changes. */
export interface Topic {
  readonly marks: Marks;
  /** @param isBroad whether the change may concern very many others, so that all should not ask at one moment. */
  changed(isBroad: boolean): void;
  /** Whether each change is told from now on. */
  covered(isCovered: boolean): void;
}

/** Tells topics of changes, and whether it can. */
export interface Feed extends AsyncDisposable {
  /** Told of changes until it is removed. `covered` is called soon when the feed is up. */
  add(topic: Topic): void;
  remove(topic: Topic): void;
}

/** What a feed reports of itself. */
export interface FeedReport {
  /** Told when it changes, and again when the reason does. */
  live(why: Failure | undefined): void;
  /** A topic was told of a change. */
  event(): void;
}

/** The feed of an agent on the machine of the server: it reads the audit log itself. */
export class AuditFileFeed implements Feed {
  readonly #topics = new Topics<Topic>();
  readonly #log: AuditLog;
  #isLive = false;

  constructor(options: Omit<AuditLogOptions, 'listener'> & { readonly clock: Clock }, report: FeedReport) {
    this.#log = new AuditLog({
      ...options,
      listener: {
        changed: (change) => {
          for (const topic of this.#topics.of(change)) {
            report.event();
            topic.changed(change.reach !== 'path');
          }
        },
        gap: () => {
          for (const topic of this.#topics.all()) topic.changed(true);
        },
        live: (why) => {
          report.live(why);
          if (this.#isLive === (why === undefined)) return;
          this.#isLive = why === undefined;
          for (const topic of [...this.#topics.all()]) topic.covered(this.#isLive);
        },
      },
    });
  }

  add(topic: Topic): void {
    this.#topics.add(topic, topic.marks);
    if (this.#isLive) topic.covered(true);
  }

  remove(topic: Topic): void {
    this.#topics.remove(topic);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#log[Symbol.asyncDispose]();
  }
}
