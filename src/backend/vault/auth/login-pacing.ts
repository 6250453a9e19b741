import { backoffMs } from '../../../base/backoff.ts';
import type { Clock } from '../../../base/clock.ts';
import type { Failure } from '../../../base/errors.ts';
import type { LiveLogin } from './method.ts';
import { loginBackoffMs, YOUNG_MS } from './renewal.ts';

/** Decides when the next try to log in may be made. Tries that fail and logins that die young delay it. */
export class LoginPacing {
  readonly #clock: Clock;
  readonly #random: () => number;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #failures = 0;
  /** How many logins in a row died young. */
  #youngDeaths = 0;
  #countedLoginId = 0;

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  get notBeforeMs(): number {
    return this.#notBeforeMs;
  }

  get mayTry(): boolean {
    return this.#clock.monoMs() >= this.#notBeforeMs;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  /**
   * Records a failed try. @returns the time until the next one, at least `atLeastMs`.
   * @param login the one that is in use.
   */
  failed(why: Failure, atLeastMs: number, login: LiveLogin | undefined): number {
    this.#failures++;
    const now = this.#clock.monoMs();
    const retryInMs = Math.max(atLeastMs, loginBackoffMs(this.#failures, why, login, now, this.#random));
    this.#notBeforeMs = now + retryInMs;
    return retryInMs;
  }

  /**
   * Records the death of a login, once per login. The first login after a dead one may be made at once. When that one
   * dies young too, the next waits, longer each time, until a login lives for `YOUNG_MS`.
   */
  died(login: LiveLogin): void {
    if (login.id === this.#countedLoginId) return;
    this.#countedLoginId = login.id;
    const now = this.#clock.monoMs();
    this.#youngDeaths = now - login.startedMonoMs < YOUNG_MS ? this.#youngDeaths + 1 : 0;
    if (this.#youngDeaths < 2) return;
    this.#notBeforeMs = Math.max(this.#notBeforeMs, now + backoffMs(this.#youngDeaths - 1, this.#random));
  }
}
