import type { Clock } from '../../../base/clock.ts';
import { asFailure, type Failure, fail } from '../../../base/errors.ts';
import type { Emit } from '../../../base/fact.ts';
import { Secret } from '../../../base/secret.ts';
import { Subscribers } from '../../../base/subscribers.ts';
import { Supervisor } from '../../../base/supervisor.ts';
import type { Tracing } from '../../../base/tracing.ts';
import type { KeptLogin, ResumedLogin } from '../../kept-login.ts';
import type { LoginView } from '../../login-view.ts';
import type { VaultClient } from '../client/client.ts';
import { LoginKeeper } from './login-keeper.ts';
import { Logins } from './logins.ts';
import type { AuthMethod, LiveLogin, Session } from './method.ts';
import { revokeLogin } from './revoke-login.ts';
import { TokenLiveness } from './token-liveness.ts';
import { Waiters } from './waiters.ts';

/** See the state machine above `VaultSession`. */
export type SessionState = LoginView['state'];

export interface SessionDeps {
  readonly method: AuthMethod;
  readonly client: VaultClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
  /** Absent: there are no traces. */
  readonly tracing?: Tracing | undefined;
  /** The logins are revoked when the session is disposed of, which ends every lease made under them. */
  readonly revokeOnExit: boolean;
  /** The configured name of the backend, for facts and places. */
  readonly backend: string;
  /** The login of an earlier process; it is asked for once. Absent: there is none. */
  readonly earlier?: (() => KeptLogin | undefined) | undefined;
  /** See `Backend.spreadsFirst`. */
  readonly spreadsFirst?: true | undefined;
  /** Runs the background work; absent: the session makes its own. */
  readonly supervisor?: Supervisor;
}

/** Keeps one login of one Vault or OpenBao server alive. Nothing is sent before `start` or the first `current`. */
export function createSession(deps: SessionDeps): VaultSession {
  return new VaultSession(deps);
}

/**
 * The states of a session, and what leads from one to the next:
 *
 * - `out`: no login has been asked for yet. `start` or `current` → `logging-in`.
 * - `logging-in`: there was never a login. The session tries with backoff until a login is made → `live`. Callers of
 *   `current` wait.
 * - `live`: the login is usable, and the session sleeps until its renewal point at two thirds of its life. At that
 *   point → `renewing`, or → `replacing` when the login cannot be renewed (any more). A login that never ends stays
 *   `live`.
 * - `renewing`: renew-self is under way, and `current` returns the login meanwhile. Extended → `live` with a new life.
 *   Not extended (near max_ttl) or refused → `replacing` at once, two thirds through the life. Failed (network, 5xx) →
 *   `live`, and the renewal is tried again with backoff; in the last sixth of the life each failure → `replacing`. A
 *   server that once refused a renewal because the JWT of the login had expired is not asked for a renewal after the
 *   end of a JWT: the last renewal is made shortly before that end, then `live` → `replacing`.
 * - `replacing`: the next login is being made, and `current` returns the old one meanwhile. Made → `live` with the next
 *   login; the listeners of `onReplacing` are called. The old login is neither renewed nor revoked any more, since
 *   leases made under it are in use until they are fetched under the next one. Failed → `live`, again with backoff.
 * - `dead`: the login ended or is known dead (`suspect`), and `current` waits. The session logs in at once, then with
 *   backoff, and goes on as from `replacing`. When logins die young one after another, each waits longer.
 * - `stopped`: disposed of or revoked. `current` throws CANCELLED.
 *
 * One task (`LoginKeeper`) walks through the states and makes every request except lookup-self and the last revocation.
 * Three events wake it: a death that `suspect` found, a clock jump, the last use of a limited token.
 *
 * Limited tokens (num_uses): every `current` and every renewal counts as one use. A lookup-self is a use too but is not
 * counted here, so the server may refuse a use early, which looks like a death. After the last use a new login is made
 * at once. The server revokes a used-up token together with its leases, so such logins suit polled secrets only;
 * `onReplacing` is not called for them, since fetching the leases again would use up the next login in a loop.
 */
export class VaultSession implements Session {
  readonly #deps: SessionDeps;
  readonly #place: string;
  readonly #supervisor: Supervisor;
  readonly #logins: Logins;
  readonly #liveness: TokenLiveness;
  readonly #keeper: LoginKeeper;
  readonly #waiters = new Waiters();
  readonly #moveListeners = new Set<(next: LiveLogin) => Promise<void>>();
  readonly #deathListeners = new Subscribers<[]>();
  readonly #stop = new AbortController();
  #keeping: Promise<void> | undefined;
  #triedRevoking = false;
  #isRevoked = false;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
    this.#place = `backends.${deps.backend}.auth`;
    this.#logins = new Logins(deps.clock, () => this.#deathListeners.tell());
    this.#liveness = new TokenLiveness({ ...deps, place: this.#place });
    this.#keeper = new LoginKeeper({
      ...deps,
      place: this.#place,
      logins: this.#logins,
      liveness: this.#liveness,
      stop: this.#stop.signal,
      adopted: (login, leases) => this.#adopted(login, leases),
      failed: () => this.#waiters.wakeAll(),
    });
    this.#supervisor =
      deps.supervisor ??
      new Supervisor((task, error) =>
        deps.emit({ kind: 'task-crashed', task, failure: asFailure(error, this.#place) }),
      );
  }

  get state(): SessionState {
    return this.#stop.signal.aborted ? 'stopped' : this.#keeper.state;
  }

  view(): LoginView {
    const login = this.#logins.usable();
    const nextMonoMs = this.#keeper.pauseEndsMonoMs;
    return {
      method: this.#deps.method.kind,
      state: this.state,
      isUsable: login !== undefined,
      endsMonoMs: login === undefined || login.endsMonoMs === Number.POSITIVE_INFINITY ? undefined : login.endsMonoMs,
      nextMonoMs,
    };
  }

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
    this.#supervisor.start(`login of ${this.#deps.backend}`, async () => {
      try {
        await this.#keeper.keep();
      } finally {
        owner.removeEventListener('abort', stop);
        ended.resolve();
      }
    });
  }

  async current(signal: AbortSignal): Promise<LiveLogin> {
    this.start();
    for (;;) {
      this.#throwIfEnded(signal);
      const login = this.currentNow();
      if (login !== undefined) return login;
      await this.#waiters.wait(signal);
    }
  }

  /**
   * Begins to log in, and resolves when it is known whether the login of an earlier process is used. Also when the
   * session ends before.
   */
  async resumed(): Promise<ResumedLogin | undefined> {
    this.start();
    return await Promise.race([this.#keeper.resumed, this.#keeping?.then(() => undefined)]);
  }

  /** The login for the next process; undefined when there is none, its uses are counted, or it was revoked. */
  loginToKeep(): KeptLogin | undefined {
    const login = this.#logins.usable();
    if (login === undefined || login.usesLeft !== 'unlimited' || this.#isRevoked) return undefined;
    const { token, accessor, ttlMs, renewable, startedMonoMs, id } = login;
    const { revokeOnExit } = this.#deps;
    return { token, accessor, ttlMs, renewable, startedMonoMs, loginId: id, endsWithProcess: revokeOnExit };
  }

  currentNow(): LiveLogin | undefined {
    const login = this.#stop.signal.aborted ? undefined : this.#logins.usable();
    if (login !== undefined && this.#logins.takeUse()) this.#keeper.wake();
    return login;
  }

  async settled(signal: AbortSignal): Promise<void> {
    this.start();
    for (;;) {
      this.#throwIfEnded(signal);
      if (this.#logins.usable() !== undefined || this.#keeper.trouble !== undefined) return;
      await this.#waiters.wait(signal);
    }
  }

  names(text: string): boolean {
    return this.#logins.names(Secret.text(text));
  }

  async suspect(loginId: number, said?: 'invalid'): Promise<'alive' | 'replaced'> {
    const login = this.#logins.usable();
    if (login?.id !== loginId) return 'replaced';
    if ((await this.#liveness.ask(login, this.#stop.signal, said)) === 'alive') return 'alive';
    if (this.#logins.markDead(loginId)) this.#keeper.wake();
    return 'replaced';
  }

  endsMonoMs(loginId: number): number {
    return this.#logins.endsMonoMs(loginId);
  }

  /**
   * Whether leases of a login end when the session revokes its logins. They do not when the login is a batch token,
   * which cannot be revoked, or one that is not known any more.
   */
  endsLeases(loginId: number): boolean {
    return this.#revocable().some(({ id, accessor }) => id === loginId && accessor !== undefined);
  }

  onReplacing(move: (next: LiveLogin) => Promise<void>): Disposable {
    this.#moveListeners.add(move);
    return { [Symbol.dispose]: () => void this.#moveListeners.delete(move) };
  }

  /** Calls `listener` when a login has ended before its time, dead or used up, and `endsMonoMs` returns another end. */
  onDead(listener: () => void): Disposable {
    return this.#deathListeners.add(listener);
  }

  trouble(): Failure | undefined {
    return this.#logins.usable() === undefined ? this.#keeper.trouble : undefined;
  }

  /**
   * To be called when the machine slept for `byMs`, which the monotonic clock does not count: shortens every life by
   * that much and computes the renewal point again. A negative `byMs` changes nothing.
   */
  clockJumped(byMs: number): void {
    if (!(byMs > 0)) return;
    this.#logins.jump(byMs);
    this.#keeper.replan();
  }

  async revoke(signal: AbortSignal): Promise<void> {
    await this.#end();
    const isOwn = this.#deps.method.borrowsToken !== true && this.#logins.newest?.id !== this.#keeper.resumedId;
    if (isOwn || this.#deps.revokeOnExit) await this.#revokeNow(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
    if (this.#deps.revokeOnExit) await this.#revokeNow(new AbortController().signal);
    if (this.#deps.supervisor === undefined) await this.#supervisor.stop();
  }

  #throwIfEnded(signal: AbortSignal): void {
    if (!signal.aborted && !this.#stop.signal.aborted) return;
    throw fail('CANCELLED', this.#place, 'ended while waiting for a login');
  }

  #adopted(login: LiveLogin, leases: 'move' | 'none'): void {
    this.#waiters.wakeAll();
    if (leases === 'none') return;
    const task = `leases of ${this.#deps.backend} under a new login`;
    for (const move of this.#moveListeners) this.#supervisor.start(task, () => move(login));
  }

  #halt(): void {
    this.#stop.abort();
    this.#keeper.wake();
    this.#waiters.wakeAll();
  }

  async #end(): Promise<void> {
    this.#halt();
    await this.#keeping;
  }

  /** The logins that the session would revoke now: those that it replaced too, whose leases may be in use. */
  #revocable(): readonly LiveLogin[] {
    const alive = this.#logins.alive();
    // Another program made a borrowed token, and may go on with the ones before the newest.
    return this.#deps.method.borrowsToken === true ? alive.filter(({ id }) => id === this.#logins.newest?.id) : alive;
  }

  async #revokeNow(signal: AbortSignal): Promise<void> {
    const logins = this.#revocable();
    if (logins.length === 0 || this.#triedRevoking) return;
    this.#triedRevoking = true;
    const { client, clock, emit } = this.#deps;
    const revoke = ({ token }: LiveLogin) => revokeLogin({ client, clock, emit, token, place: this.#place }, signal);
    const revoked = await Promise.all(logins.map(revoke));
    const newest = this.#logins.newest?.id;
    this.#isRevoked = logins.some(({ id }, at) => id === newest && revoked[at] === true);
  }
}
