import type { Failure } from '../base/errors.ts';
import type { SupervisedChild } from '../process/supervised-child.ts';
import type { ReloadAction } from './reload.ts';

/**
 * A step towards the child of exec. A child that was started since the first try for a generation has read it anyway,
 * and where there is no child (`init`) the one that comes will.
 */
export function createChildStep(
  { kind, place, timeoutMs = 0 }: Pick<ReloadAction, 'kind' | 'place' | 'timeoutMs'>,
  child: SupervisedChild | undefined,
  act: (child: SupervisedChild) => Promise<Failure | undefined>,
): ReloadAction {
  let tried = { generation: 0, starts: 0 };
  return {
    kind,
    place,
    timeoutMs,
    async run(generation, _signal, isAskedFor = false) {
      if (child === undefined) return undefined;
      if (generation !== tried.generation) tried = { generation, starts: child.starts };
      return child.starts > tried.starts && !isAskedFor ? undefined : act(child);
    },
  };
}
