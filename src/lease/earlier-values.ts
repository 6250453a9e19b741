import type { Backend, LeaseLife, Life } from '../backend/backend.ts';
import { isOutage } from '../backend/outage.ts';
import type { Clock } from '../base/clock.ts';
import { asFailure, type Failure, failure, PannierError } from '../base/errors.ts';
import type { EarlierContext, EarlierValue, EarlierValues, FindEarlier, StandBy, TakenUp } from './earlier.ts';
import type { Item } from './item.ts';
import type { SecretEvent } from './item-writer.ts';

/** A backend that has not answered for this long at a start counts as down: what is kept is served meanwhile. */
export const ANSWER_MS = 500;

/** When a fetch from a backend last had an answer, on the monotonic clock. */
type AnswersOfBackends = WeakMap<Backend, number>;

/**
 * Uses the values of an earlier process.
 *
 * - A value whose fetch would mint another one (a lease, a certificate, a token) is taken up without a fetch. A lease
 *   needs the login that it was made under, and a renewal shows that the server still knows it.
 * - Any other value is fetched, and the earlier one is served as stale only when the backend does not answer. A refusal
 *   and a secret that is not there are answers: nothing is served then.
 */
export function createEarlierValues(find: FindEarlier): EarlierValues {
  const usedIds = new Set<string>();
  const answers: AnswersOfBackends = new WeakMap();
  return {
    takeUp: async (item, context, signal) => {
      const { id } = item.want;
      if (usedIds.has(id) || !isMinted(find(item.want)?.value.life)) return undefined;
      usedIds.add(id); // later in this process it would be out of date
      const resumed = await item.backend.resumed?.();
      const earlier = find(item.want); // the login may have taken a while
      if (earlier === undefined || item.isGone) return undefined;
      const { life } = earlier.value;
      if (life.kind !== 'lease') return { event: restore(item, context, earlier, life) };
      if (resumed === undefined) return undefined;
      const lease = { ...life, loginId: resumed.loginId };
      if (resumed.why !== undefined) {
        return { event: restore(item, context, earlier, lease), failed: resumed.why };
      }
      return await takeUpLease(item, context, { earlier, lease, signal });
    },
    standBy: (item, context) => {
      const earlier = find(item.want);
      const served = isMinted(earlier?.value.life) ? undefined : earlier;
      return new ServeOnOutage(item, context, served, answers);
    },
  };
}

/** A renewal shows whether the server still knows the lease. A lease that cannot be renewed is believed. */
async function takeUpLease(
  item: Item,
  context: EarlierContext,
  { earlier, lease, signal }: { earlier: EarlierValue; lease: LeaseLife; signal: AbortSignal },
): Promise<TakenUp | undefined> {
  const { source } = item.backend;
  if (!lease.renewable || source.renew === undefined) return { event: restore(item, context, earlier, lease) };
  try {
    const renewed = await within(context.clock, signal, (ended) => source.renew?.(item.want, lease, ended), item);
    return { event: restore(item, context, earlier, renewed ?? lease) };
  } catch (error) {
    const why = asFailure(error, item.want.place);
    if (item.isGone) return undefined;
    if (isOutage(why)) return { event: restore(item, context, earlier, lease), failed: why };
    // The policy does not allow renewals: the lease is good until its end all the same.
    if (why.code !== 'SECRET_DENIED') return undefined;
    return { event: restore(item, context, earlier, { ...lease, renewable: false }) };
  }
}

/** Serves the value when the fetch fails for an outage, or when no fetch from the backend had an answer for a while. */
class ServeOnOutage implements StandBy {
  readonly #item: Item;
  readonly #context: EarlierContext;
  readonly #earlier: EarlierValue | undefined;
  readonly #answers: AnswersOfBackends;
  #cancel = () => {};
  #isDown = false;

  /** @param earlier absent: there is nothing to serve, but that the backend answers counts for other secrets. */
  constructor(item: Item, context: EarlierContext, earlier: EarlierValue | undefined, answers: AnswersOfBackends) {
    this.#item = item;
    this.#context = context;
    this.#earlier = earlier;
    this.#answers = answers;
    if (earlier !== undefined) this.#cancel = context.clock.after(ANSWER_MS, () => this.#late());
  }

  failed(why: Failure): SecretEvent | undefined {
    this.#isDown = isOutage(why);
    return this.#isDown ? this.#serve() : undefined;
  }

  [Symbol.dispose](): void {
    this.#cancel();
    if (!this.#isDown) this.#answers.set(this.#item.backend, this.#context.clock.monoMs());
  }

  /** With thousands of secrets a fetch may wait for its turn while the backend answers others: it is not down then. */
  #late(): void {
    const { clock, markTrouble, notify } = this.#context;
    const item = this.#item;
    if (item.running === undefined || item.isGone) return;
    const quietMs = clock.monoMs() - (this.#answers.get(item.backend) ?? Number.NEGATIVE_INFINITY);
    if (quietMs < ANSWER_MS) {
      this.#cancel = clock.after(ANSWER_MS - quietMs, () => this.#late());
      return;
    }
    const why = item.backend.trouble?.() ?? noAnswer(item);
    const event = isOutage(why) ? this.#serve() : undefined;
    if (event === undefined) return;
    markTrouble(item, why);
    notify(item, event);
  }

  #serve(): SecretEvent | undefined {
    const earlier = this.#earlier;
    const { entry } = this.#item;
    if (earlier === undefined || (entry !== undefined && entry.state !== 'absent')) return undefined;
    return restore(this.#item, this.#context, earlier, earlier.value.life);
  }
}

function restore(item: Item, { writer }: EarlierContext, { value, fetchedWallMs }: EarlierValue, life: Life) {
  return writer.restore(item, { ...value, life }, fetchedWallMs);
}

/** Whether a fetch would make something new. */
function isMinted(life: Life | undefined): boolean {
  switch (life?.kind) {
    case 'lease':
      return true;
    case 'none':
    case 'ends':
      return life.mints === true;
    case 'certificate':
      return life.stored !== true;
    default:
      return false;
  }
}

const noAnswer = ({ want, backend }: Item): Failure =>
  failure('BACKEND_TIMEOUT', want.place, `no answer within ${ANSWER_MS} ms from ${backend.where}`);

/** What `work` resolves to; BACKEND_TIMEOUT when that takes longer than `ANSWER_MS`. */
async function within<T>(
  clock: Clock,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T> | undefined,
  item: Item,
): Promise<T | undefined> {
  const limit = new AbortController();
  const cancel = clock.after(ANSWER_MS, () => limit.abort('late'));
  try {
    return await work(AbortSignal.any([signal, limit.signal]));
  } catch (error) {
    throw limit.signal.aborted ? new PannierError(noAnswer(item)) : error;
  } finally {
    cancel();
  }
}
