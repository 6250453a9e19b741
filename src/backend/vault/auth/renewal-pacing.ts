import type { Clock } from '../../../base/clock.ts';
import type { Failure } from '../../../base/errors.ts';
import type { LiveLogin } from './method.ts';
import { LAST_RENEWAL_BEFORE_MS, loginBackoffMs, MIN_RENEWAL_GAP_MS, renewAtMs, replaceMarginMs } from './renewal.ts';
import { isFinalAtRenewal, isReviewRefused } from './token-self.ts';

export interface RenewalPacingDeps {
  readonly clock: Clock;
  readonly random: () => number;
  /** The first renewal comes up to half of its time early, see `Backend.spreadsFirst`. Absent: in its time. */
  readonly spreadsFirst?: true | undefined;
}

/** Decides when the login in use is renewed or replaced next, and whether a renewal can extend it at all. */
export class RenewalPacing {
  readonly #deps: RenewalPacingDeps;
  #nextMs = Number.POSITIVE_INFINITY;
  /** Renewing this login cannot extend its life any more. */
  #exhausted = false;
  /**
   * The server checks the credential of a login again at each renewal (OpenBao does so for Kubernetes, Vault does not).
   * It is known from a renewal that was refused for this reason; from then on, no login is renewed after its credential
   * has ended.
   */
  #credentialIsChecked = false;
  #failures = 0;
  #hasRenewed = false;

  constructor(deps: RenewalPacingDeps) {
    this.#deps = deps;
  }

  /** When the login is renewed or replaced next: its renewal point, or the end of a backoff after it. */
  get nextMs(): number {
    return this.#nextMs;
  }

  /**
   * Computes the renewal point of a life that has just begun or became shorter.
   * @param exhausted renewing the login cannot extend it. Absent: as before.
   */
  plan(login: LiveLogin, exhausted = this.#exhausted): void {
    this.#exhausted = exhausted;
    this.#failures = 0;
    const now = this.#deps.clock.monoMs();
    const isFirst = this.#deps.spreadsFirst === true && login.id === 1 && !this.#hasRenewed;
    const atMs = renewAtMs(login.startedMonoMs, login.endsMonoMs - login.startedMonoMs, this.#deps.random, isFirst);
    const lastMs = (login.credentialEndsMonoMs ?? Number.NEGATIVE_INFINITY) - LAST_RENEWAL_BEFORE_MS;
    const isLast = this.#credentialIsChecked && !exhausted && lastMs > now;
    this.#nextMs = Math.max(isLast ? Math.min(atMs, lastMs) : atMs, now + MIN_RENEWAL_GAP_MS);
  }

  /** Whether a renewal may extend the login; otherwise it is replaced. */
  mayRenew(login: LiveLogin): boolean {
    if (this.#credentialIsChecked && this.credentialHasEnded(login)) this.#exhausted = true;
    return !this.#exhausted;
  }

  /** Records a renewal. One that did not move the end was the last one. */
  renewed(login: LiveLogin, isExtended: boolean): void {
    this.#hasRenewed = true;
    this.plan(login, !isExtended || !login.renewable);
    if (!isExtended) this.#nextMs = this.#deps.clock.monoMs();
  }

  /** Records a failed renewal. @returns the time until the next step. */
  failed(login: LiveLogin, error: unknown, why: Failure): number {
    const now = this.#deps.clock.monoMs();
    if (isReviewRefused(error)) this.#credentialIsChecked = true;
    if (isFinalAtRenewal(error)) {
      this.#exhausted = true;
      this.#nextMs = now;
    } else {
      this.#failures++;
      this.#nextMs = now + loginBackoffMs(this.#failures, why, login, now, this.#deps.random);
      const replaceMs = replaceFromMs(login);
      if (now < replaceMs) this.#nextMs = Math.min(this.#nextMs, Math.max(replaceMs, now + MIN_RENEWAL_GAP_MS));
    }
    return this.#nextMs - now;
  }

  /** Whether renewals of the login fail so close to its end that it is replaced. */
  mustReplace(login: LiveLogin): boolean {
    return this.#failures > 0 && !(this.#deps.clock.monoMs() < replaceFromMs(login));
  }

  /** To be called when the login cannot be replaced before `atMs`: what cannot be renewed has its next step then. */
  replaceableFrom(atMs: number): void {
    if (this.#exhausted) this.#nextMs = atMs;
  }

  credentialHasEnded({ credentialEndsMonoMs = Number.POSITIVE_INFINITY }: LiveLogin): boolean {
    return this.#deps.clock.monoMs() >= credentialEndsMonoMs;
  }
}

/** From this time on, a login is replaced when its renewal fails. */
function replaceFromMs({ startedMonoMs, endsMonoMs }: LiveLogin): number {
  return endsMonoMs - replaceMarginMs(endsMonoMs - startedMonoMs);
}
