import { asFailure, fail, PannierError } from '../../../base/errors.ts';
import { onAbort } from '../../../base/on-abort.ts';
import { atPlace } from '../client/error.ts';

export interface GatherOptions<V> {
  /** The most ids in one call. */
  readonly size: number;
  /** Reads one id in a call of its own. */
  readonly readOne: (id: string, place: string, signal: AbortSignal) => Promise<V>;
  /**
   * Reads several ids in one call. An id that is not in the result is read by `readOne`; a failure of the whole call is
   * thrown.
   * @param placeOf returns the configuration path of an id, for the failure of that id.
   */
  readonly readMany: (
    ids: readonly string[],
    placeOf: (id: string) => string,
    signal: AbortSignal,
  ) => Promise<ReadonlyMap<string, V | PannierError>>;
}

/** One caller of `read`. */
interface Waiter<V> {
  readonly id: string;
  readonly place: string;
  /** The first call settles the promise of `read`; later calls are ignored. */
  readonly settle: (answer: V | PannierError) => void;
  isSettled: boolean;
  /** Called when the promise is settled. */
  onSettled: () => void;
}

/**
 * Joins the reads of one turn of the event loop into calls of `size` ids, so that a start with 500 secrets makes 25
 * calls and not 500. Each read has its own answer, failure and cancellation; a call is cancelled when all of its reads
 * are.
 */
export class Gather<V> {
  readonly #options: GatherOptions<V>;
  #waiting: Waiter<V>[] = [];

  constructor(options: GatherOptions<V>) {
    this.#options = options;
  }

  /** @throws PannierError of `readOne` and `readMany`, with `place`; CANCELLED. */
  read(id: string, place: string, signal: AbortSignal): Promise<V> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter<V> = {
        id,
        place,
        isSettled: false,
        onSettled: () => {},
        settle: (answer) => {
          if (waiter.isSettled) return;
          waiter.isSettled = true;
          cancel();
          waiter.onSettled();
          if (answer instanceof PannierError) reject(answer);
          else resolve(answer);
        },
      };
      let cancel = () => {};
      cancel = onAbort(signal, () => waiter.settle(fail('CANCELLED', place, 'the call was cancelled')));
      if (waiter.isSettled) return;
      this.#waiting.push(waiter);
      if (this.#waiting.length === 1) setImmediate(() => this.#send());
    });
  }

  #send(): void {
    const waiting = this.#waiting.filter(({ isSettled }) => !isSettled);
    this.#waiting = [];
    const groups = [...Map.groupBy(waiting, ({ id }) => id)];
    while (groups.length > 0) void this.#call(new Map(groups.splice(0, this.#options.size)));
  }

  async #call(group: ReadonlyMap<string, readonly Waiter<V>[]>): Promise<void> {
    const stop = new AbortController();
    let left = 0;
    for (const waiter of [...group.values()].flat()) {
      left++;
      waiter.onSettled = () => {
        if (--left === 0) stop.abort('all reads are settled');
      };
    }
    const placeOf = (id: string) => group.get(id)?.[0]?.place ?? '';
    const ids = [...group.keys()];
    try {
      const answers = ids.length > 1 ? await this.#options.readMany(ids, placeOf, stop.signal) : new Map<string, V>();
      await Promise.all(
        ids.map(async (id) =>
          settleAll(group.get(id), answers.get(id) ?? (await this.#readAlone(id, placeOf(id), stop.signal))),
        ),
      );
    } catch (error) {
      for (const waiters of group.values()) settleAll(waiters, asError(error));
    }
  }

  #readAlone(id: string, place: string, signal: AbortSignal): Promise<V | PannierError> {
    return this.#options.readOne(id, place, signal).catch(asError);
  }
}

/** Settles the reads of one id. A failure is reported at the place of each read. */
function settleAll<V>(waiters: readonly Waiter<V>[] = [], answer: V | PannierError): void {
  for (const waiter of waiters) {
    waiter.settle(answer instanceof PannierError ? atPlace(answer, waiter.place) : answer);
  }
}

const asError = (error: unknown): PannierError =>
  error instanceof PannierError ? error : new PannierError(asFailure(error, 'backend'));
