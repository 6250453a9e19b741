import type { Clock } from '../../../base/clock.ts';
import { asFailure, type Failure, fail } from '../../../base/errors.ts';
import type { Emit } from '../../../base/fact.ts';
import { Secret } from '../../../base/secret.ts';
import { Supervisor } from '../../../base/supervisor.ts';
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
  /** Revokes the login at dispose, which ends every lease made under it. */
  readonly revokeOnExit: boolean;
  /** The configured name, for facts and places. */
  readonly backend: string;
  /** Owner of the background work; absent: the session's own. */
  readonly supervisor?: Supervisor;
}

/** Keeps one login of one Vault or OpenBao server alive. Nothing is sent before `start` or the first `current`. */
export function createSession(deps: SessionDeps): VaultSession {
  return new VaultSession(deps);
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
 *   again with backoff; in the last sixth of the life each failure → `replacing` as well. A server that has refused a
 *   renewal since the JWT of the login had expired is not asked again once a JWT has: then `live` → `replacing`, and the
 *   last renewal is made shortly before the JWT ends.
 * - `replacing`: the next login is being made while the old one is still given out. Made → `live` with the next; the
 *   listeners of `onReplacing` are called, and the old login is left to die: never renewed again, never revoked, since
 *   leases made under it are in use until they are fetched under the next. Failing → `live`, again with backoff.
 * - `dead`: the login ended or is known dead (`suspect`), nothing is given out. Logs in at once, then with backoff, and
 *   moves on as from `replacing`. Logins that die young one after another wait longer and longer.
 * - `stopped`: disposed or revoked. `current` throws CANCELLED.
 *
 * One task (`LoginKeeper`) walks through the states and makes every request but lookup-self and the last revocation.
 * Others tell it three things, which wake it: a death found by `suspect`, a clock jump, the last use of a limited
 * token.
 *
 * Limited tokens (num_uses): every `current` and every renewal counts as one use; a lookup-self is one as well but not
 * counted, so the server may refuse a use early, which looks like a death. After the last use a new login is made at
 * once. The server revokes a used-up token together with its leases, so such logins suit polled secrets only;
 * `onReplacing` is not called for them, since fetching leases anew would use up the next login in a loop.
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
  readonly #deathListeners = new Set<() => void>();
  readonly #stop = new AbortController();
  #keeping: Promise<void> | undefined;
  #revoked = false;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
    this.#place = `backends.${deps.backend}.auth`;
    this.#logins = new Logins(deps.clock, () => {
      for (const listener of this.#deathListeners) listener();
    });
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
      const login = this.#logins.usable();
      if (login !== undefined) {
        if (this.#logins.takeUse()) this.#keeper.wake();
        return login;
      }
      await this.#waiters.wait(signal);
    }
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

  onReplacing(move: (next: LiveLogin) => Promise<void>): Disposable {
    this.#moveListeners.add(move);
    return { [Symbol.dispose]: () => void this.#moveListeners.delete(move) };
  }

  /** Calls `listener` when a login has ended before its time, dead or used up: `endsMonoMs` of it has changed. */
  onDead(listener: () => void): Disposable {
    this.#deathListeners.add(listener);
    return { [Symbol.dispose]: () => void this.#deathListeners.delete(listener) };
  }

  trouble(): Failure | undefined {
    return this.#logins.usable() === undefined ? this.#keeper.trouble : undefined;
  }

  /**
   * The machine slept `byMs`, which the monotonic clock does not count: every life is shorter by that much, and the
   * renewal point is drawn anew. A jump backwards changes nothing here.
   */
  clockJumped(byMs: number): void {
    if (!(byMs > 0)) return;
    this.#logins.jump(byMs);
    this.#keeper.replan();
  }

  async revoke(signal: AbortSignal): Promise<void> {
    await this.#end();
    if (this.#deps.method.borrowsToken !== true || this.#deps.revokeOnExit) await this.#revokeNow(signal);
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

  async #revokeNow(signal: AbortSignal): Promise<void> {
    const login = this.#logins.usable();
    if (login === undefined || this.#revoked) return;
    this.#revoked = true;
    const { client, clock, emit } = this.#deps;
    await revokeLogin({ client, clock, emit, token: login.token, place: this.#place }, signal);
  }
}
