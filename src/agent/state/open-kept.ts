import { failure } from '../../base/errors.ts';
import type { StateConfig } from '../../config/config.ts';
import { StateKeeper, type StateKeeperDeps } from './keeper.ts';
import { WrappedStateOpening } from './open-wrapped.ts';
import type { OpeningHooks, StateOpening } from './opening.ts';

/** How long a start waits for the state to be read; it is used also when it is read later. */
const READ_MS = 1_000;

/** Opens the state that a configuration names. */
export function openKept(
  config: StateConfig,
  deps: StateKeeperDeps & { readonly random: () => number },
  hooks: OpeningHooks,
): StateOpening {
  const { key } = config;
  return key.from === 'wrapped' ? new WrappedStateOpening(config, key, deps, hooks) : openRead(config, deps, hooks);
}

/** On a machine that is busy, as after its boot, or from a file system that hangs, reading may take long. */
function openRead(config: StateConfig, deps: StateKeeperDeps, { late }: OpeningHooks): StateOpening {
  const first = Promise.withResolvers<StateKeeper | undefined>();
  let isWaited = true;
  let isOver = false;
  const goOn = () => {
    isWaited = false;
    const seen = `${config.path} was not read within ${READ_MS} ms`;
    const hint = 'The agent goes on without it, and uses it when it has been read. Is the machine or its disk busy?';
    deps.emit({ kind: 'agent-warning', warning: failure('STATE_UNREADABLE', config.place, seen, { hint }) });
    first.resolve(undefined);
  };
  const cancel = deps.clock.after(READ_MS, goOn);
  void StateKeeper.open(config, deps).then((keeper) => {
    cancel();
    if (isWaited) first.resolve(keeper);
    else if (isOver) keeper?.discard();
    else if (keeper !== undefined) late(keeper);
  }, first.reject);
  return {
    first: first.promise,
    // A file system that hangs holds the end of the process up no longer than its start.
    async [Symbol.asyncDispose]() {
      isOver = true;
    },
  };
}
