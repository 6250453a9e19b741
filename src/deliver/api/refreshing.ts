import type { Clock } from '../../base/clock.ts';
import { deadline } from '../../base/deadline.ts';
import { formatDuration } from '../../base/duration.ts';
import { type Failure, failure } from '../../base/errors.ts';
import type { ApiAgent } from './api-agent.ts';

/** How long what was asked for is waited for; it goes on after that. */
export const WITHIN_MS = 30_000;

/** Refreshes that clients ask for. */
export class RefreshQueue {
  readonly #agent: Pick<ApiAgent, 'clock' | 'secrets'>;

  constructor(agent: Pick<ApiAgent, 'clock' | 'secrets'>) {
    this.#agent = agent;
  }

  /**
   * Resolves when an attempt has ended that began after this call, whichever way; with false when that takes too long.
   */
  async refresh(name: string): Promise<boolean> {
    const attempt = this.#agent.secrets.refresh(name).then(() => true);
    return (await within(this.#agent.clock, WITHIN_MS, attempt)) ?? false;
  }
}

/** What `work` gives; undefined when that takes longer than `ms`. */
export async function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const cancel = deadline(clock, ms, () => late.resolve(undefined));
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    cancel();
  }
}

/** What was asked for goes on, but the client waits no longer. */
export const slow = (place: string): Failure =>
  failure('API_SLOW', place, `not ended within ${formatDuration(WITHIN_MS)}`);
