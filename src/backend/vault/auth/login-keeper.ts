import type { Clock } from '../../../base/clock.ts';
import { formatDuration } from '../../../base/duration.ts';
import { asFailure, type Failure, fail, failure } from '../../../base/errors.ts';
import type { Emit } from '../../../base/fact.ts';
import type { Tracing } from '../../../base/tracing.ts';
import { setUrgency, URGENCY } from '../../../base/urgency.ts';
import type { KeptLogin, ResumedLogin } from '../../kept-login.ts';
import type { LoginView } from '../../login-view.ts';
import { ageMs } from '../client/age.ts';
import type { VaultClient } from '../client/client.ts';
import { LoginPacing } from './login-pacing.ts';
import type { Logins } from './logins.ts';
import type { AuthMethod, LiveLogin, Login } from './method.ts';
import { isExtended } from './renewal.ts';
import { RenewalPacing, type RenewalPacingDeps } from './renewal-pacing.ts';
import type { TokenLiveness } from './token-liveness.ts';
import { asRenewalError, isRefusal, lookUpSelf, readRenewal, readTokenLife, renewSelf } from './token-self.ts';

/** The state of a session; the comment above `VaultSession` describes the state machine. */
export type KeeperState = Exclude<LoginView['state'], 'stopped'>;

export interface LoginKeeperDeps extends RenewalPacingDeps {
  readonly method: AuthMethod;
  readonly client: VaultClient;
  readonly emit: Emit;
  /** Absent: there are no traces. */
  readonly tracing?: Tracing | undefined;
  readonly backend: string;
  readonly place: string;
  readonly logins: Logins;
  readonly liveness: TokenLiveness;
  /** The login of an earlier process; it is asked for once, before the first login is made. */
  readonly earlier?: (() => KeptLogin | undefined) | undefined;
  /** Ends `keep` and every request. */
  readonly stop: AbortSignal;
  /** Called once per new login; with `move`, leases of the login before must be fetched again under it. */
  readonly adopted: (login: LiveLogin, leases: 'move' | 'none') => void;
  /** Called after each failed try to log in; `trouble` says why it failed. */
  readonly failed: () => void;
}

/**
 * The one task of a session: it logs in, renews and replaces the login, as the state machine above `VaultSession` says.
 * It looks at `Logins` before each step. Other code that changes something there calls `wake` afterwards.
 */
export class LoginKeeper {
  readonly #deps: LoginKeeperDeps;
  readonly #clock: Clock;
  readonly #logins: Logins;
  readonly #pacing: LoginPacing;
  readonly #renewals: RenewalPacing;
  #state: KeeperState = 'out';
  /** Its abort ends the current pause or the renewal under way. */
  #wake = new AbortController();
  #trouble: Failure | undefined;
  #pauseEndsMs: number | undefined;
  /** The id of the login that an earlier process made, if it is used. */
  resumedId: number | undefined;
  readonly #resumed = Promise.withResolvers<ResumedLogin | undefined>();

  constructor(deps: LoginKeeperDeps) {
    this.#deps = deps;
    this.#clock = deps.clock;
    this.#logins = deps.logins;
    this.#pacing = new LoginPacing(deps.clock, deps.random);
    this.#renewals = new RenewalPacing(deps);
  }

  get state(): KeeperState {
    return this.#state;
  }

  /** When the pause of the task ends; undefined while it works, and before it runs. */
  get pauseEndsMonoMs(): number | undefined {
    return this.#pauseEndsMs;
  }

  /** Why the last try to log in failed, or what the first try waits for; undefined after a successful one. */
  get trouble(): Failure | undefined {
    return this.#trouble ?? this.#deps.method.trouble?.();
  }

  /** To be called after a change in `Logins`: ends the pause, so that the task looks at it now. */
  wake(): void {
    this.#wake.abort();
  }

  /** To be called when the life of the login became shorter: computes its renewal point again. */
  replan(): void {
    if (this.#logins.newest !== undefined) this.#renewals.plan(this.#logins.newest);
    this.wake();
  }

  /** Resolves when it is known whether the login of an earlier process is used. */
  get resumed(): Promise<ResumedLogin | undefined> {
    return this.#resumed.promise;
  }

  /** Runs until `stop` aborts, and never throws. */
  async keep(): Promise<void> {
    const earlier = this.#deps.earlier?.();
    this.#resumed.resolve(earlier === undefined ? undefined : await this.#resume(earlier));
    while (!this.#deps.stop.aborted) {
      const login = this.#logins.usable();
      const now = this.#clock.monoMs();
      if (login === undefined) await this.#logIn();
      else if (now >= this.#renewals.nextMs) await this.#traced('renew login', () => this.#prolong(login));
      else {
        this.#state = 'live';
        await this.#pause(Math.min(this.#renewals.nextMs, login.endsMonoMs) - now);
      }
    }
  }

  async #resume(kept: KeptLogin): Promise<ResumedLogin | undefined> {
    this.#state = 'logging-in';
    const { jumpedMs } = this.#logins;
    if (kept.made !== undefined) {
      this.#adopt({ ...kept, accessor: kept.accessor, ...kept.made, usesLeft: 'unlimited' }, jumpedMs);
      return undefined;
    }
    const { resumeLogin } = await import('./resume-login.ts');
    const resumed = await resumeLogin(kept, this.#deps, this.#deps.stop);
    if (resumed === undefined || this.#deps.stop.aborted) return undefined;
    const { login, why } = resumed;
    const id = this.#adopt(login, jumpedMs, why ?? 'alive');
    this.resumedId = id;
    return { loginId: id, ...(why === undefined ? {} : { why }) };
  }

  /** Makes one try to log in, or waits until one may be made. */
  async #logIn(): Promise<void> {
    const { newest, gone, jumpedMs } = this.#logins;
    this.#state = newest === undefined ? 'logging-in' : 'dead';
    if (newest !== undefined && gone !== 'spent') this.#pacing.died(newest);
    if (!this.#pacing.mayTry) return this.#pause(this.#pacing.notBeforeMs - this.#clock.monoMs());
    await this.#traced('log in', async () => {
      const next = await this.#tryLogin();
      if (next === undefined) return;
      if (gone === 'dead') await this.#deps.liveness.calibrate(next, this.#deps.stop);
      this.#adopt(next, jumpedMs);
    });
  }

  async #traced(doing: 'log in' | 'renew login', run: () => Promise<void>): Promise<void> {
    const { tracing, backend } = this.#deps;
    await (tracing?.within({ kind: 'login', backend, doing }, run) ?? run());
  }

  /** Renews or replaces a login that has reached its renewal point, or the end of a backoff after it. */
  async #prolong(login: LiveLogin): Promise<void> {
    if (this.#renewals.mayRenew(login)) {
      this.#state = 'renewing';
      await this.#renew(login);
      if (!this.#renewals.mustReplace(login) || !this.#pacing.mayTry) return;
    }
    if (this.#pacing.mayTry) await this.#replace();
    if (!this.#pacing.mayTry) this.#renewals.replaceableFrom(this.#pacing.notBeforeMs);
  }

  async #renew(login: LiveLogin): Promise<void> {
    const wake = this.#sleeper();
    setUrgency(wake, URGENCY.ending, login.endsMonoMs);
    const startedMonoMs = this.#clock.monoMs();
    const { client, place } = this.#deps;
    const self = { client, token: login.token, place };
    if (this.#logins.takeUse()) this.wake();
    try {
      const answer = await renewSelf(self, wake);
      if (!wake.aborted) this.#extend(login, readRenewal(answer, startedMonoMs, place));
    } catch (error) {
      if (!wake.aborted) this.#renewFailed(login, error);
    }
  }

  /** Takes over the life that a renewal gave. */
  #extend(login: LiveLogin, renewed: Login): void {
    const extended = this.#logins.extend(login, renewed);
    const next = this.#logins.newest ?? login;
    this.#renewals.renewed(next, extended);
    if (extended && renewed.ttlMs !== 'forever') {
      this.#deps.emit({ kind: 'login-renewed', backend: this.#deps.backend, ttlMs: renewed.ttlMs, login: next.id });
    }
  }

  #renewFailed(login: LiveLogin, error: unknown): void {
    const { place } = this.#deps;
    const failed = asFailure(asRenewalError(error, place, this.#renewals.credentialHasEnded(login)), place);
    const retryInMs = this.#renewals.failed(login, error, failed);
    this.#deps.emit({ kind: 'login-renew-failed', backend: this.#deps.backend, failure: failed, retryInMs });
  }

  async #replace(): Promise<void> {
    if (this.#deps.stop.aborted) return;
    this.#state = 'replacing';
    const { jumpedMs } = this.#logins;
    const next = await this.#tryLogin();
    const { newest } = this.#logins;
    if (next === undefined) return;
    if (newest !== undefined && next.token.equals(newest.token)) this.#sameAgain(newest, next);
    else this.#adopt(next, jumpedMs);
  }

  /** Returns undefined when the login failed; the failure is reported and the next try is scheduled by then. */
  async #tryLogin(): Promise<Login | undefined> {
    try {
      const stop = AbortSignal.any([this.#deps.stop]);
      setUrgency(stop, URGENCY.login, this.#logins.usable()?.endsMonoMs);
      const made = await this.#deps.method.login(stop);
      const isCached =
        this.#deps.method.borrowsToken !== true && this.#logins.newest?.token.equals(made.token) === true;
      const login = isCached ? await this.#lookAt(made) : made;
      if (!isCached) this.#pacing.succeeded();
      this.#trouble = undefined;
      return login;
    } catch (error) {
      if (!this.#deps.stop.aborted) this.#loginFailed(asFailure(error, this.#deps.place), 0);
      return undefined;
    }
  }

  /**
   * Reads the life of a login whose token is the one in use already. A cache on the way answered such a login, so its
   * life began when the token was made, and only the server knows what is left of it.
   * @throws PannierError AUTH_UNUSABLE when the token has ended, or what the client throws when no answer comes.
   */
  async #lookAt(made: Login): Promise<Login> {
    const { client, place, stop } = this.#deps;
    const startedMonoMs = this.#clock.monoMs();
    try {
      const answer = await lookUpSelf({ client, token: made.token, place }, stop);
      return { ...made, startedMonoMs: startedMonoMs - ageMs(answer), ...readTokenLife(answer.body, place) };
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const seen = `${error.failure.seen}: the login brought the same token again, and it has ended`;
      throw fail('AUTH_UNUSABLE', place, seen, { hint: CACHED_LOGIN });
    }
  }

  #loginFailed(failed: Failure, atLeastMs: number): void {
    this.#trouble = failed;
    const retryInMs = this.#pacing.failed(failed, atLeastMs, this.#logins.usable());
    const { backend, emit, method } = this.#deps;
    emit({ kind: 'login-failed', backend, method: method.kind, failure: failed, retryInMs });
    this.#deps.failed();
  }

  /**
   * Handles a login that brought the token in use again: the token was made by another program, or a cache gave it. The
   * login keeps its id and its leases, and the next try is made after a part of its remaining life.
   */
  #sameAgain(login: LiveLogin, again: Login): void {
    const endsMs = again.ttlMs === 'forever' ? Number.POSITIVE_INFINITY : again.startedMonoMs + again.ttlMs;
    if (isExtended(login.endsMonoMs, endsMs, Number.POSITIVE_INFINITY)) {
      this.#extend(login, again);
      return;
    }
    const restMs = Math.max(0, login.endsMonoMs - this.#clock.monoMs());
    const seen = `the same token again, which ends in ${formatDuration(restMs)} and cannot be extended`;
    const hint = this.#deps.method.borrowsToken ? 'Put a new token in its place before then.' : CACHED_LOGIN;
    const failed = failure('AUTH_UNUSABLE', this.#deps.place, seen, { hint });
    this.#loginFailed(failed, Math.min(restMs / 10, 300_000));
  }

  /** @param resumed of a login that an earlier process made: what the server said about it. */
  #adopt(next: Login, jumpedMs: number, resumed?: 'alive' | Failure): number {
    const { newest: previous, gone } = this.#logins;
    const reason = this.#logins.usable() !== undefined || gone === 'spent' ? 'ending' : 'dead';
    const login = this.#logins.adopt(next, jumpedMs);
    this.#pacing.succeeded();
    const { ttlMs, renewable, id } = login;
    const { backend, emit, method } = this.#deps;
    this.#renewals.plan(login, !renewable);
    this.#state = 'live';
    if (resumed === undefined) emit({ kind: 'login-made', backend, method: method.kind, ttlMs, renewable, login: id });
    else emit({ kind: 'login-resumed', backend, login: id, ...(resumed === 'alive' ? {} : { failure: resumed }) });
    if (previous !== undefined) emit({ kind: 'login-replaced', backend, login: id, reason });
    this.#deps.adopted(login, previous === undefined || gone === 'spent' ? 'none' : 'move');
    return id;
  }

  #sleeper(): AbortSignal {
    this.#wake = new AbortController();
    if (this.#deps.stop.aborted) this.#wake.abort();
    return this.#wake.signal;
  }

  async #pause(ms: number): Promise<void> {
    this.#pauseEndsMs = this.#clock.monoMs() + ms;
    await this.#clock.sleep(ms, this.#sleeper());
    this.#pauseEndsMs = undefined;
  }
}

const CACHED_LOGIN =
  'A cache between Pannier and the server answers logins: exclude auth/MOUNT/login from it, or turn it off.';
