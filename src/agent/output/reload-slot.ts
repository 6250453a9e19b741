import type { Clock } from '../../base/clock.ts';
import type { LeaseManager } from '../../lease/manager.ts';

export interface ReloadSlotOptions {
  /** Reloads of a fleet are spread over this long; 0: they are not spread. */
  readonly spreadMs: number;
  /** This replica's share of it, in [0, 1). */
  readonly share: number;
  readonly manager: Pick<LeaseManager, 'replacedEndsMonoMs'>;
  readonly clock: Pick<Clock, 'monoMs'>;
  /** The secrets that the output needs now. */
  readonly names: () => Iterable<string>;
}

/** A value that ends so soon after its replica's turn is not waited with: a reload may take a while. */
const GRACE_MS = 30_000;

/**
 * Says when the application of this replica is told of a new generation: in its slot, at its share of the spread after
 * the first publish that is not taken up. A later generation keeps the slot, so changes that keep coming do not put the
 * reload off.
 *
 * A reload is not put off when the values that the application has would end before it: a lease or certificate that
 * ends within the slot and its grace, or a password that its backend has replaced. Nor before the application is known
 * to have a generation of this process: what it has then may be of any age.
 */
export class ReloadSlot {
  readonly #options: ReloadSlotOptions;
  /** When what the application has was published, as far as this process knows; undefined: it does not know. */
  #takenUpMonoMs: number | undefined;
  #publishedMonoMs: number | undefined;
  #slotMonoMs: number | undefined;
  /** When the first of the values ends that the application still has. */
  #endsMonoMs = Number.POSITIVE_INFINITY;

  constructor(options: ReloadSlotOptions) {
    this.#options = options;
  }

  /** Goes on where the loop before stopped. */
  follow(before: ReloadSlot): void {
    this.#takenUpMonoMs = before.#takenUpMonoMs;
    this.#publishedMonoMs = before.#publishedMonoMs;
    this.#slotMonoMs = before.#slotMonoMs;
    this.#endsMonoMs = before.#endsMonoMs;
  }

  /** When the reload is due, on the monotonic clock. @param isNew a generation was published a moment ago. */
  dueMonoMs(isNew: boolean): number {
    const { spreadMs, share, clock, manager, names } = this.#options;
    const now = clock.monoMs();
    const since = this.#takenUpMonoMs;
    if (isNew) this.#publishedMonoMs = now;
    if (spreadMs === 0 || since === undefined || (!isNew && this.#slotMonoMs === undefined)) return now;
    this.#slotMonoMs ??= now + share * spreadMs;
    for (const name of names()) this.#endsMonoMs = Math.min(this.#endsMonoMs, manager.replacedEndsMonoMs(name, since));
    return this.#endsMonoMs <= this.#slotMonoMs + GRACE_MS ? now : Math.max(now, this.#slotMonoMs);
  }

  /** The next reload is not put off: the generation that the application has is bad. */
  now(): void {
    this.#slotMonoMs = this.#options.clock.monoMs();
  }

  /** The application has what is published. */
  takenUp(): void {
    this.#takenUpMonoMs = this.#publishedMonoMs ?? this.#options.clock.monoMs();
    this.#slotMonoMs = undefined;
    this.#endsMonoMs = Number.POSITIVE_INFINITY;
  }
}
