import type { Backend } from '../backend/backend.ts';
import { FetchLimiter } from './fetch-limiter.ts';
import { type Item, lifeOf } from './item.ts';

export interface BackendLoginsActions {
  /** A new login of the backend is in use; the login before it is about to end or has ended. */
  replaced(backend: Backend): Promise<void>;
  /** The login of the backend was found to have ended before its time. */
  died(backend: Backend): void;
  /** The backend answers again after an outage of this length. */
  recovered(backend: Backend, outageMs: number): void;
}

interface FollowedBackend {
  /** Id of the newest login; 0 until a login is replaced for the first time. */
  newestLogin: number;
  /** One for each part of it, so that fetches which hang in one part hold no place of another. */
  readonly limiters: Map<string, FetchLimiter>;
  readonly subscriptions: readonly (Disposable | undefined)[];
}

/**
 * What the lease manager knows of each backend in use: which of its logins is the newest, and how many fetches from it
 * run. A backend that is no longer in use is forgotten, and its subscriptions end.
 */
export class BackendLogins {
  readonly #actions: BackendLoginsActions;
  readonly #followed = new Map<Backend, FollowedBackend>();

  constructor(actions: BackendLoginsActions) {
    this.#actions = actions;
  }

  /** Follows exactly these backends from now on. */
  follow(backends: ReadonlySet<Backend>): void {
    for (const [backend, { subscriptions }] of this.#followed) {
      if (backends.has(backend)) continue;
      for (const subscription of subscriptions) subscription?.[Symbol.dispose]();
      this.#followed.delete(backend);
    }
    for (const backend of backends) if (!this.#followed.has(backend)) this.#subscribe(backend);
  }

  /** Limits the fetches from the part of a backend that an item is from; undefined when it is not followed. */
  limiterOf({ backend, want }: Item): FetchLimiter | undefined {
    const limiters = this.#followed.get(backend)?.limiters;
    const part = backend.source.partOf?.(want) ?? '';
    const known = limiters?.get(part);
    if (limiters === undefined || known !== undefined) return known;
    const made = new FetchLimiter();
    limiters.set(part, made);
    return made;
  }

  /** Whether an item holds a lease of a login that was replaced, so that it must be fetched under the newest login. */
  hasLeaseOfOldLogin(item: Item): boolean {
    const life = lifeOf(item);
    return life?.kind === 'lease' && life.loginId < (this.#followed.get(item.backend)?.newestLogin ?? 0);
  }

  /** Tells every backend that wall clock and monotonic clock moved apart by `byMs`. */
  clockJumped(byMs: number): void {
    for (const backend of this.#followed.keys()) backend.clockJumped?.(byMs);
  }

  #subscribe(backend: Backend): void {
    const replaced = async (next: number): Promise<void> => {
      const followed = this.#followed.get(backend);
      if (followed === undefined) return;
      followed.newestLogin = next;
      await this.#actions.replaced(backend);
    };
    this.#followed.set(backend, {
      newestLogin: 0,
      limiters: new Map(),
      subscriptions: [
        backend.onLoginReplacing?.(replaced),
        backend.onLoginDead?.(() => this.#actions.died(backend)),
        backend.onRecovered?.((outageMs) => this.#actions.recovered(backend, outageMs)),
      ],
    });
  }
}
