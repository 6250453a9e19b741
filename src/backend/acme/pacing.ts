import { backoffMs } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import type { Code } from '../../base/codes.ts';
import { formatDuration } from '../../base/duration.ts';
import { type Failure, fail, failure } from '../../base/errors.ts';
import type { FailedOrders } from './order-book.ts';

/** Failures that cost the issuer something: public ones count them, and lock out who makes too many. */
const COSTLY: ReadonlySet<Code> = new Set([
  'ACME_CHALLENGE_FAILED',
  'AUTH_DENIED',
  'BACKEND_THROTTLED',
  'CERTIFICATE_REFUSED',
  'CERTIFICATE_UNFIT',
] satisfies Code[]);

/** Those that a restart does not undo. What is wrong on this machine or in its configuration may be mended by then. */
const REMEMBERED: ReadonlySet<Code> = new Set([
  'BACKEND_THROTTLED',
  'CERTIFICATE_REFUSED',
  'CERTIFICATE_UNFIT',
] satisfies Code[]);

const BOUNDS = { floorMs: 60_000, baseMs: 120_000, capMs: 3_600_000 };
const LONGEST_ASKED_MS = 24 * 3_600_000;

/** So many failures may be followed by an order at once when the process begins anew: somebody has mended something. */
const FREE_STARTS = 2;
/** Failures that are so long over count no more. */
const FORGOTTEN_MS = 3_600_000;

interface Pause {
  readonly failures: number;
  readonly untilMonoMs: number;
  readonly why: Pick<Failure, 'code' | 'place' | 'seen' | 'hint'>;
}

/**
 * Keeps the orders of a certificate apart that keep failing: one to two minutes after the first failure, an hour after
 * many, and as long as the issuer asks for (`Retry-After`). An order before that is refused here, with the failure that
 * is known, and nothing is sent.
 */
export class Pacing {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #pauses = new Map<string, Pause>();

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** @throws PannierError: the last failure, with the time that is left. */
  assertMayOrder(id: string): void {
    const pause = this.#pauses.get(id);
    const leftMs = pause === undefined ? 0 : pause.untilMonoMs - this.#clock.monoMs();
    if (pause === undefined || leftMs <= 0) return;
    const { code, place, seen, hint } = pause.why;
    const left = formatDuration(Math.ceil(leftMs / 1000) * 1000);
    throw fail(code, place, `${seen}; the next order is in ${left}`, { hint, retryAfterMs: leftMs });
  }

  failed(id: string, why: Failure): Failure {
    if (!COSTLY.has(why.code)) return why;
    const failures = (this.#pauses.get(id)?.failures ?? 0) + 1;
    const ownMs = backoffMs(failures, this.#random, undefined, BOUNDS);
    const waitMs = Math.max(ownMs, Math.min(LONGEST_ASKED_MS, why.retryAfterMs ?? 0));
    this.#pauses.set(id, { failures, untilMonoMs: this.#clock.monoMs() + waitMs, why });
    return failure(why.code, why.place, why.seen, { ...why, retryAfterMs: waitMs });
  }

  succeeded(id: string): void {
    this.#pauses.delete(id);
  }

  /** What the next process must know of a failure that `failed` was told of; undefined: nothing. */
  toRemember(id: string, why: Failure): FailedOrders | undefined {
    const pause = this.#pauses.get(id);
    if (pause === undefined || !REMEMBERED.has(why.code)) return undefined;
    const untilWallMs = this.#clock.wallMs() + pause.untilMonoMs - this.#clock.monoMs();
    const { code, seen } = why;
    return { failures: pause.failures, untilWallMs, asked: why.retryAfterMs !== undefined, code, seen };
  }

  /**
   * Goes on where an earlier process was. The first orders after a restart are made at once, unless the issuer has
   * asked for a time; after more failures than that the restart is one of a loop.
   * @param hint how a person can have the order made at once.
   */
  resume(id: string, failed: FailedOrders, { place, hint }: { readonly place: string; readonly hint: string }): void {
    const { failures, untilWallMs, asked, code, seen } = failed;
    const leftMs = Math.min(LONGEST_ASKED_MS, untilWallMs - this.#clock.wallMs());
    if (this.#pauses.has(id) || leftMs < -FORGOTTEN_MS) return;
    const waitMs = asked || failures > FREE_STARTS ? leftMs : 0;
    this.#pauses.set(id, { failures, untilMonoMs: this.#clock.monoMs() + waitMs, why: { code, place, seen, hint } });
  }
}
