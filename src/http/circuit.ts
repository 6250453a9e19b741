import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import type { Failure } from '../base/errors.ts';
import { type Mount, Mounts, mayHang, note, noteTime } from './mounts.ts';

/**
 * What one request says about its backend. `answer`: the backend works, whatever it thinks of the request. `trouble`:
 * an answer such as 429 or 500, or none in time, which may be the fault of this path alone. `down`: no connection.
 */
export type Outcome = { readonly kind: 'answer' } | { readonly kind: 'trouble' | 'down'; readonly failure: Failure };

export type CircuitState = 'closed' | 'open' | 'half-open';

export interface CircuitView {
  readonly state: CircuitState;
  /** Open: when the next request may be sent, on the monotonic clock. */
  readonly probeMonoMs?: number;
  /** Not closed: what the last request failed for. */
  readonly failure?: Failure;
}

export interface CircuitDeps {
  readonly clock: Pick<Clock, 'monoMs'>;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Called at each change of the state. */
  readonly changed?: ((view: CircuitView) => void) | undefined;
  /** Called when the circuit has closed again, with the time since the first failure that no answer came after. */
  readonly recovered?: ((outageMs: number) => void) | undefined;
}

/** So many failures in a row, with no answer in between, open the circuit. */
export const OPENS_AFTER = 3;

/** An urgent request may be the probe when the last failure is so long ago, whatever is left of the pause. */
const URGENT_PAUSE_MS = 1_000;

/**
 * The circuit breaker of one backend: while the backend does not answer, one request at a time finds out whether it
 * does again, instead of each secret's own retry. The states:
 *
 * - `closed`: requests are sent. `OPENS_AFTER` failures in a row → `open`, when they are those of the whole backend.
 * - `open`: nothing is sent, and each request fails with what the last one failed for. The pause has full jitter and
 *   grows with the failures in a row up to 30 s, see `backoffMs`. After it, the first request → `half-open`. A request
 *   that is urgent (see urgency.ts) waits a second only: it has a backoff of its own, and must not miss an end.
 * - `half-open`: that request, the probe, is under way, and others wait for it. An answer → `closed`; a failure →
 *   `open` with a longer pause.
 *
 * After an outage `closed` begins narrow: two requests at once, and twice as many with each answer.
 *
 * One secret or mount that fails must not stop the others. So a failure that can be one path's own (`trouble`) counts
 * for the whole backend only together with those of other paths and other mounts, as far as the agent has asked for any
 * lately, see `Mounts`. When it opens for one mount, as no other was asked, the others are let through all the same,
 * one request of each at a time. An answer to one of them closes the circuit, and that mount alone does not open it
 * again.
 */
export class Circuit {
  readonly #deps: CircuitDeps;
  #state: CircuitState = 'closed';
  #failures = 0;
  #downs = 0;
  #failedMonoMs = Number.NEGATIVE_INFINITY;
  /** When the first of the failures in a row was reported. */
  #failingSinceMonoMs = 0;
  #probeMonoMs = 0;
  #failure: Failure | undefined;
  #width = Number.POSITIVE_INFINITY;
  readonly #mounts = new Mounts();

  constructor(deps: CircuitDeps) {
    this.#deps = deps;
  }

  get view(): CircuitView {
    const probe = this.#state === 'open' ? { probeMonoMs: this.#probeMonoMs } : {};
    const failure = this.#state === 'closed' || this.#failure === undefined ? {} : { failure: this.#failure };
    return { state: this.#state, ...probe, ...failure };
  }

  /** How many requests may be under way now, as far as the circuit is concerned. */
  get width(): number {
    return this.#state === 'closed' ? this.#width : 1;
  }

  /** The mount of a request that is about to be sent, or to wait for it. */
  ask(path: string): Mount {
    const mount = this.#mounts.of(path);
    mount.askedMonoMs = this.#deps.clock.monoMs();
    return mount;
  }

  /** Whether a request may hang as others of its mount do, while mounts that hang hold so many places. */
  holds(mount: Mount, path: string, places: number): boolean {
    const now = this.#deps.clock.monoMs();
    return mayHang(mount, path, now) && this.#mounts.hanging(now) >= places;
  }

  /** Whether the circuit is not closed for this mount: other mounts have failed, and no more than one of them. */
  isPassed(mount: Mount | undefined): boolean {
    if (mount === undefined || mount.failing.size > 0 || mount.isAlone) return false;
    return this.#state !== 'closed' && !this.#isSure;
  }

  /** Why a request is not to be sent and not to wait either; undefined: it may go on. */
  refusal(isUrgent: boolean, mount?: Mount): Failure | undefined {
    if (this.#state !== 'open' || this.isPassed(mount)) return undefined;
    const now = this.#deps.clock.monoMs();
    const untilMs = isUrgent ? Math.min(this.#probeMonoMs, this.#failedMonoMs + URGENT_PAUSE_MS) : this.#probeMonoMs;
    return now < untilMs ? this.#failure : undefined;
  }

  /** A request is sent. True: it is the probe, and `report` or `probeLost` must follow. */
  begin(): boolean {
    if (this.#state !== 'open') return false;
    this.#enter('half-open');
    return true;
  }

  /** The probe ended and says nothing: it was cancelled. */
  probeLost(): void {
    if (this.#state === 'half-open') this.#enter('open');
  }

  /** @param path of the request, without its query; its first part is the mount. */
  report(path: string, outcome: Outcome): void {
    const mount = this.ask(path);
    note(mount.paths, path);
    const hangs = outcome.kind !== 'answer' && outcome.failure.code === 'BACKEND_TIMEOUT';
    noteTime(mount, path, !hangs, mount.askedMonoMs);
    if (outcome.kind === 'answer') {
      this.#answered(mount);
      return;
    }
    if (mount.isAlone && outcome.kind === 'trouble' && this.#state === 'closed') return;
    this.#failures++;
    if (outcome.kind === 'down') this.#downs++;
    note(mount.failing, path);
    this.#failedMonoMs = this.#deps.clock.monoMs();
    if (this.#failures === 1) this.#failingSinceMonoMs = this.#failedMonoMs;
    this.#failure = outcome.failure;
    if (this.#state !== 'closed' || this.#isWhole()) this.#open(outcome.failure.retryAfterMs);
  }

  #answered(mount: Mount): void {
    // A login may succeed where all secrets are out of reach.
    const wasWell = this.isPassed(mount) && mount.name !== 'auth';
    if (wasWell) this.#mounts.setAlone();
    mount.isAlone = false;
    this.#failures = 0;
    this.#downs = 0;
    this.#mounts.forget();
    this.#width *= 2;
    if (this.#state === 'closed') return;
    this.#width = wasWell ? Number.POSITIVE_INFINITY : 2;
    this.#enter('closed');
    this.#deps.recovered?.(this.#deps.clock.monoMs() - this.#failingSinceMonoMs);
  }

  #open(retryAfterMs: number | undefined): void {
    const pauseMs = backoffMs(this.#failures, this.#deps.random, retryAfterMs);
    // A request that began before the circuit opened does not put the probe off again and again.
    if (this.#state !== 'open') this.#probeMonoMs = this.#deps.clock.monoMs() + pauseMs;
    this.#enter('open');
  }

  #isWhole(): boolean {
    return this.#failures >= OPENS_AFTER && (this.#isDown || this.#mounts.allFail(this.#failedMonoMs));
  }

  get #isDown(): boolean {
    return this.#downs >= OPENS_AFTER;
  }

  /** Whether more than one mount has failed, or no connection could be made. */
  get #isSure(): boolean {
    return this.#isDown || this.#mounts.failing > 1;
  }

  #enter(state: CircuitState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#deps.changed?.(this.view);
  }
}
