import type { StateConfig } from '../../config/config.ts';
import { StateKeeper, type StateKeeperDeps } from './keeper.ts';
import { WrappedStateOpening } from './open-wrapped.ts';
import type { OpeningHooks, StateOpening } from './opening.ts';

/** Opens the state that a configuration names. */
export function openKept(
  config: StateConfig,
  deps: StateKeeperDeps & { readonly random: () => number },
  hooks: OpeningHooks,
): StateOpening {
  const { key } = config;
  if (key.from === 'wrapped') return new WrappedStateOpening(config, key, deps, hooks);
  return { first: StateKeeper.open(config, deps), async [Symbol.asyncDispose]() {} };
}
