import type { Clock } from '../base/clock.ts';

/** Holds up to `burst` tokens and gets `perSecond` of them; one is taken for each request, also when there is none. */
export class TokenBucket {
  readonly #clock: Pick<Clock, 'monoMs'>;
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #atMonoMs: number;

  constructor(
    clock: Pick<Clock, 'monoMs'>,
    { perSecond, burst }: { readonly perSecond: number; readonly burst: number },
  ) {
    this.#clock = clock;
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#tokens = burst;
    this.#atMonoMs = clock.monoMs();
  }

  /** How long until there is a token; 0 when there is one. */
  waitMs(): number {
    this.#fill();
    return this.#tokens >= 1 ? 0 : Math.ceil((1 - this.#tokens) / this.#perMs);
  }

  /** Takes a token; without one the next request waits longer. */
  take(): void {
    this.#fill();
    this.#tokens = Math.max(this.#tokens - 1, -this.#burst);
  }

  #fill(): void {
    const now = this.#clock.monoMs();
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#atMonoMs) * this.#perMs);
    this.#atMonoMs = now;
  }
}
