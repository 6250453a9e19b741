import type { Clock } from '../../base/clock.ts';
import { deadline } from '../../base/deadline.ts';
import { formatDuration } from '../../base/duration.ts';
import { type Failure, failure } from '../../base/errors.ts';
import type { ApiAgent } from './api-agent.ts';

/** How long a client waits for what it asked for, which goes on after that. */
export const CLIENT_WAIT_MS = 30_000;

/** Runs the refreshes that clients ask for. */
export class RefreshQueue {
  readonly #agent: Pick<ApiAgent, 'clock' | 'secrets'>;

  constructor(agent: Pick<ApiAgent, 'clock' | 'secrets'>) {
    this.#agent = agent;
  }

  /**
   * Resolves with true when an attempt that began after this call has succeeded or failed, and with false when that
   * takes too long.
   */
  async refresh(name: string): Promise<boolean> {
    const attempt = this.#agent.secrets.refresh(name).then(() => true);
    return (await within(this.#agent.clock, CLIENT_WAIT_MS, attempt)) ?? false;
  }
}

/** Resolves as `work` does, or with undefined when it takes longer than `ms`. */
export async function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const cancel = deadline(clock, ms, () => late.resolve(undefined));
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    cancel();
  }
}

/** The failure of a request whose work goes on after the client has waited long enough. */
export const slowFailure = (place: string): Failure =>
  failure('API_SLOW', place, `the work did not end within ${formatDuration(CLIENT_WAIT_MS)}, and goes on`);
