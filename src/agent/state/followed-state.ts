import { isSamePlainData } from '../../base/plain-data-equal.ts';
import type { BackendConfig, Config, StateConfig } from '../../config/config.ts';
import type { Owners } from '../../deliver/file/owners.ts';
import type { LeaseManager } from '../../lease/manager.ts';
import type { Backends } from '../backends.ts';
import type { AgentContext } from '../context.ts';
import type { StateKeeper } from './keeper.ts';
import { openKept } from './open-kept.ts';
import type { StateOpening } from './opening.ts';
import { ownState } from './own-state.ts';

export interface FollowedStateDeps {
  readonly context: AgentContext;
  readonly manager: LeaseManager;
  readonly backends: Backends;
  /** The directories of this agent; undefined: it owns none. */
  readonly owners: () => Owners | undefined;
  /** Whether a configuration is in use: then logins and values are there already. */
  readonly isApplied: () => boolean;
}

/** The state that the present configuration names. Nothing of it is loaded where none is configured. */
export class FollowedState implements AsyncDisposable {
  readonly #deps: FollowedStateDeps;
  #config: StateConfig | undefined;
  #keeper: StateKeeper | undefined;
  #opening: StateOpening | undefined;

  constructor(deps: FollowedStateDeps) {
    this.#deps = deps;
  }

  /** What is known and kept; undefined: no state is open. */
  get keeper(): StateKeeper | undefined {
    return this.#keeper;
  }

  /** Opens the state of a configuration before the first login, and ends another one. */
  async follow({ state: config, backends }: Config, used: readonly BackendConfig[]): Promise<void> {
    if (isSamePlainData(config, this.#config)) return;
    const { context, manager, backends: opened, owners, isApplied } = this.#deps;
    const { path = '' } = this.#config ?? {};
    this.#config = config;
    const old = this.#keeper;
    this.#keeper = undefined;
    await this.#opening?.[Symbol.asyncDispose]();
    this.#opening = undefined;
    await old?.end();
    const owner = owners();
    if (path !== config?.path) await owner?.release(path);
    if (config === undefined) return;
    const warning = owner && (await ownState(config, owner));
    if (warning !== undefined) return context.emit({ kind: 'agent-warning', warning });
    const deps = { ...context, manager, backends: () => opened.byName().values() };
    this.#opening = openKept(config, deps, {
      openWrap: (key) => opened.openKeyWrap(key, backends.get(key.backend)),
      goesOn: (name) => !isApplied() && used.some((one) => one.name === name),
      late: (keeper) => {
        this.#keeper = keeper;
        keeper.joinLate();
      },
    });
    this.#keeper = await this.#opening.first;
    if (isApplied()) this.#keeper?.joinLate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#opening?.[Symbol.asyncDispose]();
    } finally {
      await this.#keeper?.end();
    }
  }
}
