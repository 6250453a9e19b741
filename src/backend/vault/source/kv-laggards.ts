import type { Clock } from '../../../base/clock.ts';
import type { Fetch, Fetched, Want } from '../../backend.ts';

/** An older version that is answered for this long is taken for the truth: a server restored from a backup. */
const LAG_MS = 60_000;

/**
 * Standby servers may answer a version that is older than the one already read: what was written last has not reached
 * them. Such an answer is no change back to the older value.
 */
export class Laggards {
  readonly #clock: Clock;
  /** Since when older versions are answered, without a newer one in between. */
  readonly #since = new WeakMap<Want, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the answer is older than `last` and is to be passed over. */
  isBehind(want: Want, last: Fetched | undefined, answer: Fetch): boolean {
    if (answer.state !== 'changed' || last === undefined || !isOlder(answer.value.version, last.version)) {
      this.#since.delete(want);
      return false;
    }
    const now = this.#clock.monoMs();
    const since = this.#since.get(want) ?? now;
    this.#since.set(want, since);
    return now - since < LAG_MS;
  }
}

/**
 * Versions of KV v2 are `NUMBER CREATED_TIME`. A smaller number alone says nothing: after a metadata delete the numbers
 * begin anew, with a later time.
 */
function isOlder(version: string, than: string): boolean {
  const [number = '', time = ''] = version.split(' ');
  const [lastNumber = '', lastTime = ''] = than.split(' ');
  return Number(number) < Number(lastNumber) && Date.parse(time) <= Date.parse(lastTime);
}
