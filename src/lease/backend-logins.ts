import type { Backend } from '../backend/backend.ts';
import { FetchLimiter } from './fetch-limiter.ts';
import { type Item, lifeOf } from './item.ts';

export interface BackendLoginsActions {
  /** A new login of the backend has come, and the one before is about to end or has ended. */
  replaced(backend: Backend): Promise<void>;
  /** The login of the backend is known to be dead. */
  died(backend: Backend): void;
}

interface Followed {
  /** Id of the newest login; 0 while none has been replaced. */
  newestLogin: number;
  readonly gate: FetchLimiter;
  readonly subscriptions: readonly (Disposable | undefined)[];
}

/**
 * What the lease manager knows of the backends in use: which login of each is the newest, and how many fetches from
 * each may run. A backend that is no longer followed is forgotten, with its subscriptions.
 */
export class BackendLogins {
  readonly #actions: BackendLoginsActions;
  readonly #followed = new Map<Backend, Followed>();

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

  /** Bounds the fetches from a backend; undefined for one that is not followed. */
  gateOf(backend: Backend): FetchLimiter | undefined {
    return this.#followed.get(backend)?.gate;
  }

  /** Whether an item holds a lease of a login that was replaced: it must be fetched anew under the newest one. */
  hangsOnOldLogin(item: Item): boolean {
    const life = lifeOf(item);
    return life?.kind === 'lease' && life.loginId < (this.#followed.get(item.backend)?.newestLogin ?? 0);
  }

  /** Tells every backend that wall clock and monotonic clock moved apart. */
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
      gate: new FetchLimiter(),
      subscriptions: [backend.onLoginReplacing?.(replaced), backend.onLoginDead?.(() => this.#actions.died(backend))],
    });
  }
}
