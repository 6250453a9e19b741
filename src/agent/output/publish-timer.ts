import type { Clock } from '../../base/clock.ts';
import type { GenerationsConfig } from '../../config/config.ts';
import type { LeaseManager } from '../../lease/manager.ts';

export interface PublishTimerOptions {
  readonly output: Pick<GenerationsConfig, 'quietMs' | 'maxWaitMs'>;
  readonly manager: Pick<LeaseManager, 'isBusy' | 'isAwaited'>;
  readonly clock: Pick<Clock, 'monoMs'>;
  /** The secrets that the output needs. */
  readonly names: Iterable<string>;
}

/**
 * Says when an output is to be rendered and published.
 *
 * - With nothing to publish: never.
 * - Before the first publish: as soon as every secret has had its first answer. A quiet period would only delay the
 *   start. A secret that failed and is tried again, or that waits for a login, delays nothing: it may be optional.
 * - After that: `quietMs` after the last change and while none of the secrets is being fetched, at the latest
 *   `maxWaitMs` after the first change that is not published.
 */
export class PublishTimer {
  readonly #options: Omit<PublishTimerOptions, 'names'>;
  #names: readonly string[] = [];
  /** Secrets whose first answer may be still to come; an answered one is never put back. */
  #awaited: string[] = [];
  /** A secret that was being fetched when this was last asked; the next look begins with it. */
  #busyWith: string | undefined;
  /** When the first change came that is not published; undefined: nothing is to be published. */
  #changedSinceMs: number | undefined = 0;
  #lastChangeMs = 0;
  #isFirst = true;

  constructor({ names, ...options }: PublishTimerOptions) {
    this.#options = options;
    this.follow(names);
  }

  /** Whether a change of a secret is still to be published. */
  get isBehind(): boolean {
    return this.#changedSinceMs !== undefined;
  }

  /** The output needs these secrets from now on. */
  follow(names: Iterable<string>): void {
    this.#names = [...names];
    this.#awaited = [...this.#names];
  }

  /**
   * Notes that an attempt for one of the secrets ended.
   * @param isChanged the secret has another value or state; publishing waits for quiet after it.
   * @param isNeeded the output is to be rendered again even if the secret is unchanged.
   * @returns whether `dueMonoMs` may be another one now.
   */
  attemptEnded(isChanged: boolean, isNeeded: boolean): boolean {
    const now = this.#options.clock.monoMs();
    const wasBehind = this.isBehind;
    if (isChanged || isNeeded) this.#changedSinceMs ??= now;
    if (isChanged) this.#lastChangeMs = now;
    if (!this.isBehind) return false;
    // When many secrets change together, or come at a start, each of them is told here. Two are worth another look: the
    // one that the output waits for, and the first one, since maxWait counts from it.
    return this.#isFirst ? !this.#isAwaiting() : !wasBehind || !this.#isBusy();
  }

  /** A publish begins, with everything that changed up to now. */
  publishBegins(): void {
    this.#changedSinceMs = undefined;
  }

  /** The first publish is through: from now on changes wait for quiet. */
  isPublished(): void {
    this.#isFirst = false;
  }

  /** When the output is to be published, on the monotonic clock; infinite: not before an attempt ends. */
  dueMonoMs(): number {
    const { quietMs, maxWaitMs } = this.#options.output;
    if (this.#changedSinceMs === undefined) return Number.POSITIVE_INFINITY;
    if (this.#isFirst) return this.#isAwaiting() ? Number.POSITIVE_INFINITY : this.#changedSinceMs;
    const latestMs = this.#changedSinceMs + maxWaitMs;
    return this.#isBusy() ? latestMs : Math.min(latestMs, this.#lastChangeMs + quietMs);
  }

  /** Whether one of the secrets is being fetched. */
  #isBusy(): boolean {
    const { manager } = this.#options;
    if (this.#busyWith !== undefined && manager.isBusy(this.#busyWith)) return true;
    this.#busyWith = this.#names.findLast((name) => manager.isBusy(name)); // begun last, so likely the last to end
    return this.#busyWith !== undefined;
  }

  /** Whether a first answer is still to come. Forgets the secrets that have one, so a start looks at each only once. */
  #isAwaiting(): boolean {
    for (let name = this.#awaited.at(-1); name !== undefined; name = this.#awaited.at(-1)) {
      if (this.#options.manager.isAwaited(name)) return true;
      this.#awaited.pop();
    }
    return false;
  }
}
