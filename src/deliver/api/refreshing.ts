import type { Clock } from '../../base/clock.ts';
import { deadline } from '../../base/deadline.ts';
import type { ApiAgent } from './api-agent.ts';

/** How long what was asked for is waited for; it goes on after that. */
export const WITHIN_MS = 30_000;

/** Who asks again sooner gets the outcome of the last refresh: a client in a loop must not mint credentials in one. */
const GAP_MS = 1_000;

/** Refreshes that clients ask for. */
export class Refreshing {
  readonly #agent: Pick<ApiAgent, 'clock' | 'refresh'>;
  readonly #endedMs = new Map<string, number>();

  constructor(agent: Pick<ApiAgent, 'clock' | 'refresh'>) {
    this.#agent = agent;
  }

  /** Resolves when an attempt has ended, whichever way; with false when that takes too long. */
  async refresh(name: string): Promise<boolean> {
    const { clock } = this.#agent;
    const last = this.#endedMs.get(name);
    if (last !== undefined && clock.monoMs() - last < GAP_MS) return true;
    const attempt = this.#agent.refresh(name).then(() => {
      this.#endedMs.set(name, clock.monoMs());
      return true;
    });
    return (await within(clock, WITHIN_MS, attempt)) ?? false;
  }
}

/** What `work` gives; undefined when that takes longer than `ms`. */
export async function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const callOff = deadline(clock, ms, () => late.resolve(undefined));
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    callOff();
  }
}
