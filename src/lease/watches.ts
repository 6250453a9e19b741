import type { Want, Watching } from '../backend/backend.ts';
import type { Attempts } from './attempts.ts';
import type { Deadlines } from './deadlines.ts';
import { type Item, isPolled, lifeOf } from './item.ts';
import type { ItemWriter } from './item-writer.ts';
import type { Snapshots } from './snapshots.ts';

export interface WatchesDeps {
  readonly attempts: Attempts;
  readonly deadlines: Deadlines;
  readonly writer: ItemWriter;
  readonly snapshots: Snapshots;
}

/** For `LeaseManager.startWatching`. */
export function createWatches(deps: WatchesDeps): Watches {
  return new Watches(deps);
}

/**
 * The subscriptions to what backends tell of items between fetches, and what is done about each thing that they tell.
 * An item that was added, and whose source can watch, has one until it is dropped.
 */
export class Watches {
  readonly #deps: WatchesDeps;
  readonly #byWant = new Map<string, Watching>();

  constructor(deps: WatchesDeps) {
    this.#deps = deps;
  }

  /** Does nothing for an item that is watched already. */
  add(item: Item): void {
    const { want, backend } = item;
    if (this.#byWant.has(want.id)) return;
    const { attempts } = this.#deps;
    const watching = backend.source.watch?.(want, {
      changed: () => void (item.isGone || attempts.start(item, 'fetch', 'pushed')),
      written: () => void (item.isGone || !isPolled(item) || attempts.start(item, 'fetch', 'pushed')),
      replaceAt: (wallMs) => this.#replaceAt(item, wallMs),
      covered: (pollMs) => this.#covered(item, pollMs),
    });
    if (watching !== undefined) this.#byWant.set(want.id, watching);
  }

  /** To be called when the `refreshMs` of a want is another one. */
  follow(want: Want): void {
    this.#byWant.get(want.id)?.follow?.(want);
  }

  drop(wantId: string): void {
    this.#byWant.get(wantId)?.[Symbol.dispose]();
    this.#byWant.delete(wantId);
  }

  #covered(item: Item, pollMs: number | undefined): void {
    if (item.isGone || item.coveredPollMs === pollMs) return;
    item.coveredPollMs = pollMs;
    item.mustCatchUp = pollMs !== undefined;
    this.#planAnew(item);
  }

  #replaceAt(item: Item, replaceAtMs: number): void {
    const life = lifeOf(item);
    if (life?.kind !== 'certificate' || life.replaceAtMs === replaceAtMs || item.isGone) return;
    this.#deps.writer.setLife(item, { ...life, replaceAtMs });
    this.#deps.snapshots.changed();
    this.#planAnew(item);
  }

  /** A failed attempt is retried as ever: what a backend tells does not make the value fresh. */
  #planAnew(item: Item): void {
    const { running, entry, failures } = item;
    if (running === undefined && entry !== undefined && failures === 0) this.#deps.deadlines.planNext(item);
  }
}
