import type { Failure } from '../base/errors.ts';
import type { SupervisedChild } from '../process/supervised-child.ts';
import type { ReloadAction } from './reload.ts';

/**
 * A step that acts on the child of exec. It counts as done without acting when there is no child (`init`), since the
 * next one will read everything anew, and when the child was started since the first try for this generation, since it
 * has read the generation then. Somebody who asks for the step (`isAskedFor`) gets it in the second case too.
 * @param act acts on the child; resolves to the failure, or undefined.
 */
export function createChildStep(
  { kind, place, timeoutMs = 0 }: Pick<ReloadAction, 'kind' | 'place' | 'timeoutMs'>,
  child: SupervisedChild | undefined,
  act: (child: SupervisedChild) => Promise<Failure | undefined>,
): ReloadAction {
  let firstTry = { generation: 0, starts: 0 };
  return {
    kind,
    place,
    timeoutMs,
    async run(generation, _signal, isAskedFor = false) {
      if (child === undefined) return undefined;
      if (generation !== firstTry.generation) firstTry = { generation, starts: child.starts };
      return child.starts > firstTry.starts && !isAskedFor ? undefined : act(child);
    },
  };
}
