import type { Failure } from '../base/errors.ts';
import type { KeptChild } from '../process/kept-child.ts';
import type { Reload } from './reload.ts';

/**
 * A step towards the child of exec. A child that was started since the first try for a generation has read it anyway,
 * and where there is no child (`init`) the one that comes will.
 */
export function createChildStep(
  { kind, place }: Pick<Reload, 'kind' | 'place'>,
  child: KeptChild | undefined,
  act: (child: KeptChild) => Promise<Failure | undefined>,
): Reload {
  let tried = { generation: 0, starts: 0 };
  return {
    kind,
    place,
    async run(generation) {
      if (child === undefined) return undefined;
      if (generation !== tried.generation) tried = { generation, starts: child.starts };
      const failed = child.starts > tried.starts ? undefined : await act(child);
      if (failed === undefined) tried = { generation: 0, starts: 0 }; // once more may be asked for
      return failed;
    },
  };
}
