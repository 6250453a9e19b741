import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import { asFailure, type Failure, fail, failure } from '../base/errors.ts';
import type { Emit } from '../base/fact.ts';
import { Supervisor } from '../base/supervisor.ts';
import type { VaultClient } from '../client/vault-client.ts';
import { giveBack } from './give-back.ts';
import { LoginBook } from './login-book.ts';
import { LoginPacing } from './login-pacing.ts';
import type { AuthMethod, LiveLogin, Login, Session } from './method.ts';
import { isExtended, MIN_RENEWAL_GAP_MS, renewAtMs, replaceMarginMs } from './renewal.ts';
import { Suspicion } from './suspicion.ts';
import { isRefusal, readAuthBlock, renewSelf } from './token-self.ts';
import { Waiters } from './waiters.ts';

/** See the state machine above `VaultSession`. */
export type SessionState = 'out' | 'logging-in' | 'live' | 'renewing' | 'replacing' | 'dead' | 'stopped';

export interface SessionParts {
  readonly method: AuthMethod;
  readonly client: VaultClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
  /** Revokes the login at dispose, which ends every lease made under it. */
  readonly revokeOnExit: boolean;
  /** The configured name, for facts and places. */
  readonly backend: string;
  /** Owner of the background work; absent: the session's own. */
  readonly supervisor?: Supervisor;
}

/** Keeps one login of one Vault or OpenBao server alive. Nothing is sent before `start` or the first `current`. */
export function createSession(parts: SessionParts): VaultSession {
  return new VaultSession(parts);
}

/**
 * The states of a session, and what moves it on:
 *
 * - `out`: nobody has asked for a login. `start` or `current` → `logging-in`.
 * - `logging-in`: there was never a login. Tries with backoff until one is made → `live`. Who waits in `current` waits.
 * - `live`: the login is usable; sleeping until its renewal point at two thirds of its life. At that point →
 *   `renewing`, or → `replacing` when it cannot be renewed (any more). A login that never ends stays here.
 * - `renewing`: renew-self is on its way, the login is still given out. Extended → `live` with a new life. Not extended
 *   (near max_ttl) or refused → `replacing` at once, two thirds through the life. Failing (network, 5xx) → `live`, tried
 *   again with backoff; in the last sixth of the life each failure → `replacing` as well.
 * - `replacing`: the next login is being made while the old one is still given out. Made → `live` with the next; who
 *   registered with `onReplacing` is called, and the old login is left to die: never renewed again, never revoked, since
 *   leases made under it are in use until they are fetched under the next. Failing → `live`, again with backoff.
 * - `dead`: the login ended or is known dead (`suspect`), nothing is given out. Logs in at once, then with backoff, and
 *   moves on as from `replacing`. Logins that die young one after another wait longer and longer.
 * - `stopped`: disposed or revoked. `current` throws CANCELLED.
 *
 * One task (`#keep`) walks through the states and makes every request but lookup-self and the last revocation. Others
 * tell it three things, which wake it: a death found by `suspect`, a clock jump, the last use of a limited token.
 *
 * Limited tokens (num_uses): every `current` and every renewal counts as one use; a lookup-self is one as well but not
 * counted, so the server may refuse a use early, which looks like a death. After the last use a new login is made at
 * once. The server revokes a used-up token together with its leases, so such logins suit polled secrets only;
 * `onReplacing` is not called for them, since fetching leases anew would use up the next login in a loop.
 */
export class VaultSession implements Session {
  readonly #parts: SessionParts;
  readonly #place: string;
  readonly #clock: Clock;
  readonly #supervisor: Supervisor;
  readonly #book: LoginBook;
  readonly #pacing: LoginPacing;
  readonly #suspicion: Suspicion;
  readonly #waiters = new Waiters();
  readonly #moves = new Set<(next: LiveLogin) => Promise<void>>();
  readonly #stop = new AbortController();
  #state: SessionState = 'out';
  #keeping: Promise<void> | undefined;
  /** Ends a pause or a renewal on its way, so that the task looks at the world anew. */
  #wake = new AbortController();
  /** When a usable login is looked at next: its renewal point, or the end of a backoff after it. */
  #nextMs = Number.POSITIVE_INFINITY;
  /** Renewing this login brings no more. */
  #exhausted = false;
  #renewFailures = 0;
  #trouble: Failure | undefined;
  #revoked = false;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#clock = parts.clock;
    this.#place = `backends.${parts.backend}.auth`;
    this.#book = new LoginBook(parts.clock);
    this.#pacing = new LoginPacing(parts.clock, parts.random);
    this.#suspicion = new Suspicion({ ...parts, place: this.#place });
    this.#supervisor =
      parts.supervisor ??
      new Supervisor((task, error) =>
        parts.emit({ kind: 'task-crashed', task, failure: asFailure(error, this.#place) }),
      );
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Begins to log in, without waiting for it. Idempotent; `current` does it too. */
  start(): void {
    if (this.#keeping !== undefined || this.#stop.signal.aborted) return;
    const ended = Promise.withResolvers<void>();
    this.#keeping = ended.promise;
    const owner = this.#supervisor.signal;
    const stop = () => this.#halt();
    if (owner.aborted) {
      ended.resolve();
      stop();
      return;
    }
    owner.addEventListener('abort', stop, { once: true });
    this.#supervisor.start(`login of ${this.#parts.backend}`, async () => {
      try {
        await this.#keep();
      } finally {
        owner.removeEventListener('abort', stop);
        ended.resolve();
      }
    });
  }

  async current(signal: AbortSignal): Promise<LiveLogin> {
    this.start();
    for (;;) {
      if (signal.aborted || this.#stop.signal.aborted) {
        throw fail('CANCELLED', this.#place, 'ended while waiting for a login');
      }
      const login = this.#book.usable();
      if (login !== undefined) {
        this.#takeUse();
        return login;
      }
      await this.#waiters.wait(signal);
    }
  }

  async suspect(loginId: number): Promise<'alive' | 'replaced'> {
    const login = this.#book.usable();
    if (login?.id !== loginId) return 'replaced';
    if ((await this.#suspicion.ask(login, this.#stop.signal)) === 'alive') return 'alive';
    if (this.#book.bury(loginId)) this.#wake.abort();
    return 'replaced';
  }

  endsMonoMs(loginId: number): number {
    return this.#book.endsMonoMs(loginId);
  }

  onReplacing(move: (next: LiveLogin) => Promise<void>): Disposable {
    this.#moves.add(move);
    return { [Symbol.dispose]: () => void this.#moves.delete(move) };
  }

  trouble(): Failure | undefined {
    return this.#book.usable() === undefined ? this.#trouble : undefined;
  }

  /**
   * The machine slept `byMs`, which the monotonic clock does not count: every life is shorter by that much, and the
   * renewal point is drawn anew. A jump backwards changes nothing here.
   */
  clockJumped(byMs: number): void {
    if (!(byMs > 0)) return;
    this.#book.jump(byMs);
    if (this.#book.newest !== undefined) this.#plan(this.#book.newest, this.#exhausted);
    this.#wake.abort();
  }

  async revoke(signal: AbortSignal): Promise<void> {
    await this.#end();
    if (this.#parts.method.borrowsToken !== true || this.#parts.revokeOnExit) await this.#giveBack(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
    if (this.#parts.revokeOnExit) await this.#giveBack(new AbortController().signal);
    if (this.#parts.supervisor === undefined) await this.#supervisor.stop();
  }

  // ---- the task, in calling order

  async #keep(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const login = this.#book.usable();
      const now = this.#clock.monoMs();
      if (login === undefined) await this.#logIn();
      else if (now >= this.#nextMs) await this.#prolong(login);
      else {
        this.#become('live');
        await this.#pause(Math.min(this.#nextMs, login.endsMonoMs) - now);
      }
    }
  }

  /** There is no usable login: one try, or the wait before it. */
  async #logIn(): Promise<void> {
    const { newest, gone, jumpedMs } = this.#book;
    this.#become(newest === undefined ? 'logging-in' : 'dead');
    if (newest !== undefined && gone !== 'spent') this.#pacing.died(newest);
    if (!this.#pacing.mayTry) return this.#pause(this.#pacing.notBeforeMs - this.#clock.monoMs());
    const next = await this.#tryLogin();
    if (next === undefined) return;
    if (gone === 'dead') await this.#suspicion.prove(next, this.#stop.signal);
    this.#adopt(next, jumpedMs);
  }

  /** The login has reached its renewal point, or the end of a backoff after it. */
  async #prolong(login: LiveLogin): Promise<void> {
    if (!this.#exhausted) {
      this.#become('renewing');
      await this.#renew(login);
      if (this.#renewFailures === 0 || this.#clock.monoMs() < replaceFromMs(login) || !this.#pacing.mayTry) return;
    }
    if (this.#pacing.mayTry) await this.#replace();
    if (this.#exhausted && !this.#pacing.mayTry) this.#nextMs = this.#pacing.notBeforeMs;
  }

  async #renew(login: LiveLogin): Promise<void> {
    const wake = this.#sleeper();
    const startedMonoMs = this.#clock.monoMs();
    const self = { client: this.#parts.client, token: login.token, place: this.#place };
    this.#takeUse();
    try {
      const answer = await renewSelf(self, wake);
      if (!wake.aborted) this.#extend(login, readAuthBlock(answer.body, startedMonoMs, this.#place));
    } catch (error) {
      if (!wake.aborted) this.#renewFailed(login, error);
    }
  }

  /** Takes over the life of a renewal. One that no longer moves the end was the last. */
  #extend(login: LiveLogin, told: Login): void {
    const extended = this.#book.extend(login, told);
    const next = this.#book.newest ?? login;
    this.#plan(next, !extended || !next.renewable);
    if (!extended) this.#nextMs = this.#clock.monoMs();
    else if (told.ttlMs !== 'forever') {
      this.#parts.emit({ kind: 'login-renewed', backend: this.#parts.backend, ttlMs: told.ttlMs, login: next.id });
    }
  }

  #renewFailed(login: LiveLogin, error: unknown): void {
    const failed = asFailure(error, this.#place);
    const now = this.#clock.monoMs();
    if (isRefusal(error)) {
      this.#exhausted = true;
      this.#nextMs = now;
    } else {
      this.#renewFailures++;
      this.#nextMs = now + backoffMs(this.#renewFailures, this.#parts.random, failed.retryAfterMs);
      const replaceMs = replaceFromMs(login);
      if (now < replaceMs) this.#nextMs = Math.min(this.#nextMs, Math.max(replaceMs, now + MIN_RENEWAL_GAP_MS));
    }
    const retryInMs = this.#nextMs - now;
    this.#parts.emit({ kind: 'login-renew-failed', backend: this.#parts.backend, failure: failed, retryInMs });
  }

  async #replace(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#become('replacing');
    const { jumpedMs } = this.#book;
    const next = await this.#tryLogin();
    const { newest } = this.#book;
    if (next === undefined) return;
    if (newest !== undefined && next.token.equals(newest.token)) this.#sameAgain(newest, next);
    else this.#adopt(next, jumpedMs);
  }

  /** Undefined when it failed; the failure is told and the next try has its time. */
  async #tryLogin(): Promise<Login | undefined> {
    try {
      const login = await this.#parts.method.login(this.#stop.signal);
      this.#pacing.succeeded();
      return login;
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#loginFailed(asFailure(error, this.#place), 0);
      return undefined;
    }
  }

  #loginFailed(failed: Failure, atLeastMs: number): void {
    this.#trouble = failed;
    const retryInMs = this.#pacing.failed(failed.retryAfterMs, atLeastMs);
    const { backend, emit, method } = this.#parts;
    emit({ kind: 'login-failed', backend, method: method.kind, failure: failed, retryInMs });
  }

  /**
   * A token that somebody else made cannot be replaced by itself: the login stays, with its id and its leases, and the
   * credential is looked at again from time to time.
   */
  #sameAgain(login: LiveLogin, again: Login): void {
    const endsMs = again.ttlMs === 'forever' ? Number.POSITIVE_INFINITY : again.startedMonoMs + again.ttlMs;
    if (isExtended(login.endsMonoMs, endsMs, Number.POSITIVE_INFINITY)) {
      this.#extend(login, again);
      return;
    }
    const restMs = Math.max(0, login.endsMonoMs - this.#clock.monoMs());
    const seen = `the same token again, which ends in ${formatDuration(restMs)} and cannot be extended`;
    const failed = failure('AUTH_UNUSABLE', this.#place, seen, { hint: 'Put a new token in its place before then.' });
    this.#loginFailed(failed, Math.min(restMs / 10, 300_000));
  }

  #adopt(next: Login, jumpedMs: number): void {
    const { newest: previous, gone } = this.#book;
    const reason = this.#book.usable() !== undefined || gone === 'spent' ? 'ending' : 'dead';
    const login = this.#book.adopt(next, jumpedMs);
    const { ttlMs, renewable, id } = login;
    const { backend, emit, method } = this.#parts;
    this.#trouble = undefined;
    this.#plan(login, !renewable);
    this.#become('live');
    emit({ kind: 'login-made', backend, method: method.kind, ttlMs, renewable, login: id });
    if (previous !== undefined) emit({ kind: 'login-replaced', backend, login: id, reason });
    this.#waiters.wakeAll();
    if (previous === undefined || gone === 'spent') return;
    for (const move of this.#moves) this.#supervisor.start(`leases of ${backend} under a new login`, () => move(login));
  }

  /** Draws the renewal point of a life that has just begun or was shortened. */
  #plan(login: LiveLogin, exhausted: boolean): void {
    this.#exhausted = exhausted;
    this.#renewFailures = 0;
    const atMs = renewAtMs(login.startedMonoMs, login.endsMonoMs - login.startedMonoMs, this.#parts.random);
    this.#nextMs = Math.max(atMs, this.#clock.monoMs() + MIN_RENEWAL_GAP_MS);
  }

  // ---- small things

  #takeUse(): void {
    if (this.#book.takeUse()) this.#wake.abort();
  }

  #become(state: SessionState): void {
    this.#state = this.#stop.signal.aborted ? 'stopped' : state;
  }

  #sleeper(): AbortSignal {
    this.#wake = new AbortController();
    return this.#wake.signal;
  }

  #pause(ms: number): Promise<void> {
    return this.#clock.sleep(ms, this.#sleeper());
  }

  #halt(): void {
    this.#stop.abort();
    this.#become('stopped');
    this.#wake.abort();
    this.#waiters.wakeAll();
  }

  async #end(): Promise<void> {
    this.#halt();
    await this.#keeping;
  }

  async #giveBack(signal: AbortSignal): Promise<void> {
    const login = this.#book.usable();
    if (login === undefined || this.#revoked) return;
    this.#revoked = true;
    const { client, clock, emit } = this.#parts;
    await giveBack({ client, clock, emit, token: login.token, place: this.#place }, signal);
  }
}

/** From when on a login whose renewal keeps failing is replaced. */
function replaceFromMs({ startedMonoMs, endsMonoMs }: LiveLogin): number {
  return endsMonoMs - replaceMarginMs(endsMonoMs - startedMonoMs);
}
