import type { Clock } from '../base/clock.ts';
import { fail, type PannierError } from '../base/errors.ts';
import { URGENCY, type Urgency } from '../base/urgency.ts';
import type { CallCancellation } from './call-cancellation.ts';
import type { Circuit, Outcome } from './circuit.ts';
import type { Mount } from './mounts.ts';
import { TokenBucket } from './token-bucket.ts';

export interface RequestLimits {
  readonly clock: Pick<Clock, 'monoMs' | 'after'>;
  /** The most requests under way at once. */
  readonly count: number;
  /**
   * So many logins and renewals go on beside those: a request that hangs holds its slot until the timeout, and polls
   * that hang must not let a lease end. Absent: none.
   */
  readonly spare?: number | undefined;
  /** Absent: requests are sent whether the backend answers or not. */
  readonly circuit?: Circuit | undefined;
  /** Absent: only `count` limits the requests. */
  readonly rate?: { readonly perSecond: number; readonly burst: number } | undefined;
  /** Before this moment only renewals are sent, so that a fleet that starts at once does not ask at once. Absent: 0. */
  readonly notBeforeMonoMs?: number | undefined;
}

/** The place of one request among those that are under way. */
export interface Slot {
  /** Says what the request came to; once per exchange. */
  report(path: string, outcome: Outcome): void;
  /** Gives the slot back; must be called exactly once. */
  release(): void;
}

interface Asked {
  readonly urgency: Urgency;
  /** Absent: nothing is known of what is asked for. */
  readonly mount: Mount | undefined;
  readonly path: string | undefined;
}

interface Waiting extends Asked {
  readonly go: (slot: Slot) => void;
  readonly refuse: (why: PannierError) => void;
  readonly place: string;
}

/** So many logins and renewals go on beside the probe of the circuit, and beside what it lets through at first. */
const SPARE_IN_CIRCUIT = 1;

/** Mounts whose requests hang hold no more than this part of the places, all together. */
const HUNG_SHARE = 1 / 2;

/**
 * Decides when each request of a client to one backend is sent. A request that waits has not started, so its deadline
 * does not run yet: a healthy start with 10,000 secrets is a long queue, not a timeout.
 *
 * Urgent requests go before the others, see urgency.ts, so that a queue of fetches against a slow server cannot let a
 * lease or a login end. Within each urgency the order is first come, first served. Five things hold a request back:
 * - as many requests as `count`, or as the circuit allows, are under way; logins and renewals have a few more;
 * - requests of its mount got no answer in time: such mounts have half of the places, but for what was answered since;
 * - the rate is used up; logins and renewals use it, but never wait for it;
 * - the moment before which nothing is sent; a renewal does not wait for it;
 * - the circuit is open: then the request fails at once, and those that wait fail too.
 */
export class RequestLimiter {
  readonly #limits: RequestLimits;
  readonly #queues: readonly Set<Waiting>[] = Object.values(URGENCY).map(() => new Set());
  readonly #bucket: TokenBucket | undefined;
  #running = 0;
  #cancelTimer: (() => void) | undefined;

  constructor(limits: RequestLimits) {
    this.#limits = limits;
    if (limits.rate !== undefined) this.#bucket = new TokenBucket(limits.clock, limits.rate);
  }

  /**
   * Waits for a slot.
   * @param place configuration path, for the error of an open circuit.
   * @param path of the request, for what is known of its mount. Absent: it counts as one of no mount.
   * @throws the reason of `stop`, or why the circuit is open.
   */
  async take(urgency: Urgency, stop: CallCancellation, place: string, path?: string): Promise<Slot> {
    if (stop.reason !== undefined) throw stop.reason;
    const { circuit } = this.#limits;
    const mount = path === undefined ? undefined : circuit?.ask(path);
    const why = circuit?.refusal(isUrgent(urgency), mount);
    if (why !== undefined) throw fail(why.code, place, why.seen, { hint: why.hint, retry: why.retry });
    const asked = { urgency, mount, path };
    if (this.#hasWaiting(urgency) || !this.#mayBegin(asked)) return await this.#wait(asked, stop, place);
    return this.#begin(mount);
  }

  #hasWaiting(urgency: Urgency): boolean {
    return this.#queues.some((queue, at) => at <= urgency && queue.size > 0);
  }

  #isFull({ urgency }: Asked): boolean {
    const { count, spare = 0 } = this.#limits;
    return this.#running >= count + (isUrgent(urgency) ? spare : 0);
  }

  #mayBegin(asked: Asked): boolean {
    if (this.#isFull(asked)) return false;
    const { urgency, mount, path = '' } = asked;
    const { count, spare = 0, circuit } = this.#limits;
    const width =
      (circuit?.width ?? Number.POSITIVE_INFINITY) + (isUrgent(urgency) ? Math.min(spare, SPARE_IN_CIRCUIT) : 0);
    const running = mount !== undefined && circuit?.isPassed(mount) === true ? mount.running : this.#running;
    if (running >= width) return false;
    if (mount !== undefined && !isUrgent(urgency) && circuit?.holds(mount, path, count * HUNG_SHARE)) return false;
    return this.#waitMs(urgency) <= 0;
  }

  /** How long a request must wait for the start or for the rate, while there are slots. */
  #waitMs(urgency: Urgency): number {
    const { clock, notBeforeMonoMs = 0 } = this.#limits;
    const startMs = isUrgent(urgency) && urgency !== URGENCY.login ? 0 : notBeforeMonoMs - clock.monoMs();
    return Math.max(startMs, isUrgent(urgency) ? 0 : (this.#bucket?.waitMs() ?? 0));
  }

  #begin(mount: Mount | undefined): Slot {
    const { circuit } = this.#limits;
    this.#count(mount, 1);
    this.#bucket?.take();
    let isProbe = circuit?.begin() ?? false;
    return {
      report: (path, outcome) => {
        isProbe = false;
        circuit?.report(path, outcome);
        if (circuit?.view.state === 'open') this.#refuseAll();
      },
      release: () => {
        this.#count(mount, -1);
        if (isProbe) circuit?.probeLost();
        this.#pump();
      },
    };
  }

  #count(mount: Mount | undefined, more: 1 | -1): void {
    this.#running += more;
    if (mount !== undefined) mount.running += more;
  }

  #wait(asked: Asked, stop: CallCancellation, place: string): Promise<Slot> {
    return new Promise((resolve, reject) => {
      const queue = this.#queues[asked.urgency] as Set<Waiting>;
      const end = () => {
        queue.delete(waiting);
        cancel();
      };
      const waiting: Waiting = {
        ...asked,
        place,
        go: (slot) => {
          end();
          resolve(slot);
        },
        refuse: (why) => {
          end();
          reject(why);
        },
      };
      queue.add(waiting);
      const cancel = stop.listen(() => {
        queue.delete(waiting);
        reject(stop.reason);
      });
      this.#pump();
    });
  }

  /** Begins what may begin, the most urgent first; a timer does so later for what waits for a moment. */
  #pump(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    for (const queue of this.#queues) {
      for (const waiting of queue) {
        if (this.#isFull(waiting)) break;
        if (this.#mayBegin(waiting)) waiting.go(this.#begin(waiting.mount));
      }
    }
    const waitsMs = this.#queues.flatMap((queue, at) => (queue.size > 0 ? [this.#waitMs(at as Urgency)] : []));
    const waitMs = Math.min(...waitsMs);
    if (Number.isFinite(waitMs) && waitMs > 0) {
      this.#cancelTimer = this.#limits.clock.after(waitMs, () => this.#pump());
    }
  }

  #refuseAll(): void {
    const { circuit } = this.#limits;
    const why = circuit?.view.failure;
    if (why === undefined) return;
    for (const queue of this.#queues) {
      for (const { place, mount, refuse } of queue) {
        if (circuit?.isPassed(mount) === true) continue;
        refuse(fail(why.code, place, why.seen, { hint: why.hint, retry: why.retry }));
      }
    }
  }
}

function isUrgent(urgency: Urgency): boolean {
  return urgency <= URGENCY.asked;
}
