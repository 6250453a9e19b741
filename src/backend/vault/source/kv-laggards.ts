import type { Clock } from '../../../base/clock.ts';
import type { Fetch, Fetched, Want } from '../../backend.ts';

/** After this time an older version is accepted: the server was probably restored from a backup. */
const LAG_MS = 60_000;

/**
 * Recognises answers of servers that are behind. A standby server that a write has not reached yet answers with an
 * older version than the one already read. Such an answer must not change the value back.
 */
export class Laggards {
  readonly #clock: Clock;
  /** Since when the answers have older versions, without a newer one in between. */
  readonly #since = new WeakMap<Want, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the answer is older than `last`, and is to be ignored. */
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
 * Compares versions of KV v2, `NUMBER CREATED_TIME`. A smaller number alone does not mean older: after a metadata
 * delete the numbers start again, with a later time.
 */
function isOlder(version: string, than: string): boolean {
  const [number = '', time = ''] = version.split(' ');
  const [lastNumber = '', lastTime = ''] = than.split(' ');
  return Number(number) < Number(lastNumber) && Date.parse(time) <= Date.parse(lastTime);
}
