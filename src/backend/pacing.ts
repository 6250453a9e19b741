import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import type { Code } from '../base/codes.ts';
import { type Failure, fail, failure } from '../base/errors.ts';
import { endsMonoMsOf, URGENCY, urgencyOf } from '../base/urgency.ts';

const BOUNDS = { floorMs: 60_000, baseMs: 120_000, capMs: 3_600_000 };
const LONGEST_ASKED_MS = 24 * 3_600_000;

/** So many failures may be followed by a try at once when the process begins anew: somebody has mended something. */
const FREE_STARTS = 2;
/** Failures that are so long over count no more. */
const FORGOTTEN_MS = 3_600_000;

/** Shares of what is left of the certificate in use: the next try comes between them. */
const SOONEST_SHARE = 1 / 4;
const LATEST_SHARE = 1 / 2;
/** Tries for what ends within seconds, and those that a client asks for in a loop, are so far apart. */
const LEAST_MS = 1_000;

/** Tries that failed one after the other, and why the last one did. */
export interface FailedTries {
  readonly failures: number;
  /** When the next try may be made, on the wall clock. */
  readonly untilWallMs: number;
  /** The issuer itself has asked for that time. */
  readonly asked: boolean;
  readonly code: Code;
  readonly seen: string;
}

export interface PacingOptions {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** What a try makes, for people: `order`. */
  readonly name: string;
  /** Failures that cost the issuer something. Others are no matter of this. */
  readonly costly: ReadonlySet<Code>;
  /**
   * Those that a restart does not undo. What is wrong on this machine or in its configuration may be mended by then.
   */
  readonly remembered: ReadonlySet<Code>;
  /**
   * Nothing makes a try before its time. Public issuers lock out who fails too often. Absent: a person who asks does,
   * and so does the end of the certificate in use.
   */
  readonly isStrict?: true;
  /** What people can do, behind the hint of the failure. Absent: nothing. */
  readonly advice?: string;
}

/** Who asks for a certificate. */
export interface Asking {
  /** The id of the want. */
  readonly id: string;
  /** Says whether a person asks, and when the certificate in use ends, see urgency.ts. */
  readonly signal: AbortSignal;
  /** All that a certificate is judged by, beside the request. With another one a try may come to another result. */
  readonly judgedBy?: string;
}

interface Pause {
  readonly failures: number;
  readonly sinceMonoMs: number;
  readonly untilMonoMs: number;
  /** The same on the wall clock, on which certificates end: the other one stands still while a machine sleeps. */
  readonly untilWallMs: number;
  readonly judgedBy: string | undefined;
  readonly why: Pick<Failure, 'code' | 'place' | 'seen' | 'hint'>;
}

/**
 * Keeps the tries for a certificate apart that keep failing and cost the issuer something each time: an order that
 * public issuers count, or a certificate that fills the storage of a CA. The wait is one to two minutes after the first
 * failure, up to an hour after many, and as long as the issuer asks for (`Retry-After`). A try before that is refused
 * here, with the failure that is known, and nothing is sent.
 */
export class Pacing {
  readonly #options: PacingOptions;
  readonly #pauses = new Map<string, Pause>();

  constructor(options: PacingOptions) {
    this.#options = options;
  }

  /** @throws PannierError: the last failure, with the time of the next try. */
  assertMayTry({ id, signal, judgedBy }: Asking): void {
    const pause = this.#pauses.get(id);
    if (pause === undefined || pause.judgedBy !== judgedBy) return;
    const { clock, isStrict } = this.#options;
    const isAsked = isStrict !== true && urgencyOf(signal) === URGENCY.asked;
    if (isAsked && clock.monoMs() - pause.sinceMonoMs >= LEAST_MS) return;
    const leftMs = Math.min(pause.untilMonoMs - clock.monoMs(), pause.untilWallMs - clock.wallMs());
    if (leftMs <= 0) return;
    const { code, place, seen, hint } = this.#told(pause);
    throw fail(code, place, seen, { hint, retryAfterMs: leftMs });
  }

  /**
   * Returns the failure with the time until the next try. The first one is told as it is: the next try is as near as
   * after any failure, and in `init` there is none.
   */
  failed({ id, signal, judgedBy }: Asking, why: Failure): Failure {
    const { random, costly } = this.#options;
    if (!costly.has(why.code)) return why;
    const failures = (this.#pauses.get(id)?.failures ?? 0) + 1;
    const ownMs = backoffMs(failures, random, undefined, this.#bounds(signal));
    const waitMs = Math.max(ownMs, Math.min(LONGEST_ASKED_MS, why.retryAfterMs ?? 0));
    const pause = { failures, ...this.#fromNow(waitMs), judgedBy, why };
    this.#pauses.set(id, pause);
    const { seen, hint } = failures === 1 ? why : this.#told(pause);
    return failure(why.code, why.place, seen, { ...why, hint, retryAfterMs: waitMs });
  }

  /** Forgets the failures of a want, after a success or when nobody asks for it any more. */
  forget(id: string): void {
    this.#pauses.delete(id);
  }

  /** What the next process must know of a failure that `failed` was told of; undefined: nothing. */
  toRemember(id: string, why: Failure): FailedTries | undefined {
    const pause = this.#pauses.get(id);
    if (pause === undefined || !this.#options.remembered.has(why.code)) return undefined;
    const { failures, untilWallMs } = pause;
    const { code, seen } = why;
    return { failures, untilWallMs, asked: why.retryAfterMs !== undefined, code, seen };
  }

  /**
   * Goes on where an earlier process was. The first tries after a restart are made at once, unless the issuer has asked
   * for a time; after more failures than that the restart is one of a loop.
   * @param hint how a person can have the try made at once.
   */
  resume(id: string, failed: FailedTries, { place, hint }: { readonly place: string; readonly hint: string }): void {
    const { clock } = this.#options;
    const { failures, asked, code, seen } = failed;
    const leftMs = Math.min(LONGEST_ASKED_MS, failed.untilWallMs - clock.wallMs());
    if (this.#pauses.has(id) || leftMs < -FORGOTTEN_MS) return;
    const waitMs = asked || failures > FREE_STARTS ? leftMs : 0;
    const why = { code, place, seen, hint };
    this.#pauses.set(id, { failures, ...this.#fromNow(waitMs), judgedBy: undefined, why });
  }

  #fromNow(waitMs: number): Pick<Pause, 'sinceMonoMs' | 'untilMonoMs' | 'untilWallMs'> {
    const { clock } = this.#options;
    const sinceMonoMs = clock.monoMs();
    return { sinceMonoMs, untilMonoMs: sinceMonoMs + waitMs, untilWallMs: clock.wallMs() + waitMs };
  }

  /** While a certificate is in use, the next try leaves time for another one before its end. */
  #bounds(signal: AbortSignal): typeof BOUNDS {
    const restMs = endsMonoMsOf(signal) - this.#options.clock.monoMs();
    if (this.#options.isStrict === true || restMs <= 0) return BOUNDS;
    const within = (ms: number, share: number) => Math.min(ms, Math.max(LEAST_MS, restMs * share));
    const [floorMs, capMs] = [within(BOUNDS.floorMs, SOONEST_SHARE), within(BOUNDS.capMs, LATEST_SHARE)];
    return { ...BOUNDS, floorMs, capMs };
  }

  /** A moment, not a length: people read it later, in a status too. */
  #told({ failures, untilWallMs, why }: Pause): Pause['why'] {
    const { name, advice } = this.#options;
    const at = `${new Date(Math.ceil(untilWallMs / 1000) * 1000).toISOString().slice(0, 19)}Z`;
    const count = failures === 1 ? '' : `after ${failures} failures in a row `;
    const hint = advice === undefined ? why.hint : `${why.hint} ${advice}`;
    return { ...why, seen: `${why.seen}; ${count}the next ${name} is made at ${at}`, hint };
  }
}
