import type { OutputState } from '../../deliver/output-state.ts';
import type { Pipeline } from '../pipeline.ts';
import type { Plan, PlannedEnvironment } from '../plan.ts';
import type { Progress } from './outcome.ts';

/** How far a pipeline is with the outputs of a plan. */
export function progressOf(outputs: readonly PlannedEnvironment[], { config }: Plan, pipeline: Pipeline): Progress {
  const begun = pipeline.outputs.states();
  return {
    outputs: begun.size > 0 ? begun : unbegun(outputs),
    entryOf: (name) => pipeline.secrets.entryOf(name),
    reasonMissing: (name) => pipeline.reasonMissing(name),
    backendOf: (name) => (config.backends.size > 1 ? config.secrets.get(name)?.backend : undefined),
  };
}

/** While backends open there are no outputs yet: a deadline that comes first must not find that nothing is wrong. */
function unbegun(outputs: readonly PlannedEnvironment[]): ReadonlyMap<string, OutputState> {
  return new Map(
    outputs.map(({ output, renderer }) => [output.name, { kind: 'waiting', missing: [...renderer.wants] }]),
  );
}
