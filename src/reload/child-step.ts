import type { Failure } from '../base/errors.ts';
import type { SupervisedChild, Wanted } from '../process/supervised-child.ts';
import type { ReloadAction } from './reload.ts';

/**
 * A step that acts on the child of exec. It counts as done without acting when there is no child (`init`), since the
 * next one will read everything anew, and when the child was started after the generation was published, since it has
 * read the generation then. Somebody who asks for the step (`isAskedFor`) gets it in the second case too.
 * @param output the output's directory, or `exec.env`.
 * @param act acts on the child; resolves to the failure, or undefined.
 */
export function createChildStep(
  { kind, place, timeoutMs = 0 }: Pick<ReloadAction, 'kind' | 'place' | 'timeoutMs'>,
  output: string,
  child: SupervisedChild | undefined,
  act: (child: SupervisedChild, wanted: Wanted | undefined) => Promise<Failure | undefined>,
): ReloadAction {
  return {
    kind,
    place,
    timeoutMs,
    async run(generation, _signal, isAskedFor = false) {
      if (child === undefined) return undefined;
      if (isAskedFor) return act(child, undefined);
      const wanted = { output, generation };
      return child.hasRead(wanted) ? undefined : act(child, wanted);
    },
  };
}
