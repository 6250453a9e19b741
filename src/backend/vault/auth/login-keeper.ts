import { backoffMs } from '../../../base/backoff.ts';
import type { Clock } from '../../../base/clock.ts';
import { formatDuration } from '../../../base/duration.ts';
import { asFailure, type Failure, fail, failure } from '../../../base/errors.ts';
import type { Emit } from '../../../base/fact.ts';
import type { LoginView } from '../../login-view.ts';
import { ageMs } from '../client/age.ts';
import type { VaultClient } from '../client/client.ts';
import { LoginPacing } from './login-pacing.ts';
import type { Logins } from './logins.ts';
import type { AuthMethod, LiveLogin, Login } from './method.ts';
import { isExtended, LAST_RENEWAL_BEFORE_MS, MIN_RENEWAL_GAP_MS, renewAtMs, replaceMarginMs } from './renewal.ts';
import type { TokenLiveness } from './token-liveness.ts';
import {
  asRenewalError,
  isFinalAtRenewal,
  isRefusal,
  isReviewRefused,
  lookUpSelf,
  readRenewal,
  readTokenLife,
  renewSelf,
} from './token-self.ts';

/** What the keeper of a session is at; the state machine is described above `VaultSession`. */
export type KeeperState = Exclude<LoginView['state'], 'stopped'>;

export interface LoginKeeperDeps {
  readonly method: AuthMethod;
  readonly client: VaultClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
  readonly backend: string;
  readonly place: string;
  readonly logins: Logins;
  readonly liveness: TokenLiveness;
  /** Ends `keep` and every request. */
  readonly stop: AbortSignal;
  /** Called once per login made; `leases`: those made under the one before must move to it. */
  readonly adopted: (login: LiveLogin, leases: 'move' | 'none') => void;
  /** Called after each try in vain, when `trouble` says why. */
  readonly failed: () => void;
}

/**
 * The one task of a session: logs in, renews and replaces, as the state machine above `VaultSession` says. It looks at
 * the logins before each step, so others tell it something by writing it there and calling `wake`.
 */
export class LoginKeeper {
  readonly #deps: LoginKeeperDeps;
  readonly #clock: Clock;
  readonly #logins: Logins;
  readonly #pacing: LoginPacing;
  #state: KeeperState = 'out';
  /** Ends a pause or a renewal on its way. */
  #wake = new AbortController();
  /** When a usable login is looked at next: its renewal point, or the end of a backoff after it. */
  #nextMs = Number.POSITIVE_INFINITY;
  /** Renewing this login brings no more. */
  #exhausted = false;
  /**
   * The server checks the credential of a login again at each renewal (OpenBao does for Kubernetes, Vault does not): it
   * refused one for that reason. From then on no renewal is asked for that would be refused.
   */
  #credentialIsChecked = false;
  #renewFailures = 0;
  #trouble: Failure | undefined;
  #pauseEndsMs: number | undefined;

  constructor(deps: LoginKeeperDeps) {
    this.#deps = deps;
    this.#clock = deps.clock;
    this.#logins = deps.logins;
    this.#pacing = new LoginPacing(deps.clock, deps.random);
  }

  get state(): KeeperState {
    return this.#state;
  }

  /** When the pause of the task is over; undefined while it works, and before it runs. */
  get pauseEndsMonoMs(): number | undefined {
    return this.#pauseEndsMs;
  }

  /** Why the last try to log in failed, or what a first one waits for; undefined after one that went well. */
  get trouble(): Failure | undefined {
    return this.#trouble ?? this.#deps.method.trouble?.();
  }

  /** The logins has changed: look at it now. */
  wake(): void {
    this.#wake.abort();
  }

  /** The life of the login was shortened: draws its renewal point anew. */
  replan(): void {
    if (this.#logins.newest !== undefined) this.#plan(this.#logins.newest, this.#exhausted);
    this.wake();
  }

  /** Runs until `stop` aborts, and never throws. */
  async keep(): Promise<void> {
    while (!this.#deps.stop.aborted) {
      const login = this.#logins.usable();
      const now = this.#clock.monoMs();
      if (login === undefined) await this.#logIn();
      else if (now >= this.#nextMs) await this.#prolong(login);
      else {
        this.#state = 'live';
        await this.#pause(Math.min(this.#nextMs, login.endsMonoMs) - now);
      }
    }
  }

  /** There is no usable login: one try, or the wait before it. */
  async #logIn(): Promise<void> {
    const { newest, gone, jumpedMs } = this.#logins;
    this.#state = newest === undefined ? 'logging-in' : 'dead';
    if (newest !== undefined && gone !== 'spent') this.#pacing.died(newest);
    if (!this.#pacing.mayTry) return this.#pause(this.#pacing.notBeforeMs - this.#clock.monoMs());
    const next = await this.#tryLogin();
    if (next === undefined) return;
    if (gone === 'dead') await this.#deps.liveness.calibrate(next, this.#deps.stop);
    this.#adopt(next, jumpedMs);
  }

  /** The login has reached its renewal point, or the end of a backoff after it. */
  async #prolong(login: LiveLogin): Promise<void> {
    if (this.#credentialIsChecked && this.#credentialHasEnded(login)) this.#exhausted = true;
    if (!this.#exhausted) {
      this.#state = 'renewing';
      await this.#renew(login);
      if (this.#renewFailures === 0 || this.#clock.monoMs() < replaceFromMs(login) || !this.#pacing.mayTry) return;
    }
    if (this.#pacing.mayTry) await this.#replace();
    if (this.#exhausted && !this.#pacing.mayTry) this.#nextMs = this.#pacing.notBeforeMs;
  }

  async #renew(login: LiveLogin): Promise<void> {
    const wake = this.#sleeper();
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

  /** Takes over the life of a renewal. One that no longer moves the end was the last. */
  #extend(login: LiveLogin, renewed: Login): void {
    const extended = this.#logins.extend(login, renewed);
    const next = this.#logins.newest ?? login;
    this.#plan(next, !extended || !next.renewable);
    if (!extended) this.#nextMs = this.#clock.monoMs();
    else if (renewed.ttlMs !== 'forever') {
      this.#deps.emit({ kind: 'login-renewed', backend: this.#deps.backend, ttlMs: renewed.ttlMs, login: next.id });
    }
  }

  #renewFailed(login: LiveLogin, error: unknown): void {
    const { place } = this.#deps;
    const failed = asFailure(asRenewalError(error, place, this.#credentialHasEnded(login)), place);
    const now = this.#clock.monoMs();
    if (isReviewRefused(error)) this.#credentialIsChecked = true;
    if (isFinalAtRenewal(error)) {
      this.#exhausted = true;
      this.#nextMs = now;
    } else {
      this.#renewFailures++;
      this.#nextMs = now + backoffMs(this.#renewFailures, this.#deps.random, failed.retryAfterMs);
      const replaceMs = replaceFromMs(login);
      if (now < replaceMs) this.#nextMs = Math.min(this.#nextMs, Math.max(replaceMs, now + MIN_RENEWAL_GAP_MS));
    }
    const retryInMs = this.#nextMs - now;
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

  /** Undefined when it failed; the failure is renewed and the next try has its time. */
  async #tryLogin(): Promise<Login | undefined> {
    try {
      const made = await this.#deps.method.login(this.#deps.stop);
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
   * A login that brings the token that we have already was answered from a cache on the way, and its life began when
   * that token was made: only the server knows what is left of it.
   * @throws PannierError AUTH_UNUSABLE when it is over, or what the client throws when no answer comes.
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
    const retryInMs = this.#pacing.failed(failed.retryAfterMs, atLeastMs);
    const { backend, emit, method } = this.#deps;
    emit({ kind: 'login-failed', backend, method: method.kind, failure: failed, retryInMs });
    this.#deps.failed();
  }

  /**
   * A token that somebody else made cannot be replaced by itself, nor one that a cache gives again: the login stays,
   * with its id and its leases, and the credential is looked at again from time to time.
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

  #adopt(next: Login, jumpedMs: number): void {
    const { newest: previous, gone } = this.#logins;
    const reason = this.#logins.usable() !== undefined || gone === 'spent' ? 'ending' : 'dead';
    const login = this.#logins.adopt(next, jumpedMs);
    this.#pacing.succeeded();
    const { ttlMs, renewable, id } = login;
    const { backend, emit, method } = this.#deps;
    this.#plan(login, !renewable);
    this.#state = 'live';
    emit({ kind: 'login-made', backend, method: method.kind, ttlMs, renewable, login: id });
    if (previous !== undefined) emit({ kind: 'login-replaced', backend, login: id, reason });
    this.#deps.adopted(login, previous === undefined || gone === 'spent' ? 'none' : 'move');
  }

  /** Draws the renewal point of a life that has just begun or was shortened. */
  #plan(login: LiveLogin, exhausted: boolean): void {
    this.#exhausted = exhausted;
    this.#renewFailures = 0;
    const now = this.#clock.monoMs();
    const atMs = renewAtMs(login.startedMonoMs, login.endsMonoMs - login.startedMonoMs, this.#deps.random);
    const lastMs = (login.credentialEndsMonoMs ?? Number.NEGATIVE_INFINITY) - LAST_RENEWAL_BEFORE_MS;
    const isLast = this.#credentialIsChecked && !exhausted && lastMs > now;
    this.#nextMs = Math.max(isLast ? Math.min(atMs, lastMs) : atMs, now + MIN_RENEWAL_GAP_MS);
  }

  #credentialHasEnded({ credentialEndsMonoMs = Number.POSITIVE_INFINITY }: LiveLogin): boolean {
    return this.#clock.monoMs() >= credentialEndsMonoMs;
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

const CACHED_LOGIN = 'A cache between here and the server answers logins: let auth/MOUNT/login pass, or turn it off.';

/** From when on a login whose renewal keeps failing is replaced. */
function replaceFromMs({ startedMonoMs, endsMonoMs }: LiveLogin): number {
  return endsMonoMs - replaceMarginMs(endsMonoMs - startedMonoMs);
}
