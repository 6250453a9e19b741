import type { OutputState } from '../../deliver/output-state.ts';
import type { Pipeline } from '../pipeline.ts';
import type { Plan, PlannedEnvironment } from '../plan.ts';
import type { Progress } from './outcome.ts';

/** How far a pipeline is with `outputs` of a plan. */
export function progressOf(outputs: readonly PlannedEnvironment[], { config }: Plan, pipeline: Pipeline): Progress {
  const states = pipeline.outputs.states();
  return {
    outputs: states.size > 0 ? states : waiting(outputs),
    entryOf: (name) => pipeline.secrets.entryOf(name),
    troubleOf: (name) => pipeline.troubleOf(name),
    reasonMissing: (name) => pipeline.reasonMissing(name),
    backendOf: (name) => (config.backends.size > 1 ? config.secrets.get(name)?.backend : undefined),
  };
}

/** While backends open no output has a state yet. A deadline at that time must not find that nothing is wrong. */
function waiting(outputs: readonly PlannedEnvironment[]): ReadonlyMap<string, OutputState> {
  return new Map(
    outputs.map(({ output, renderer }) => [output.name, { kind: 'waiting', missing: [...renderer.wants] }]),
  );
}
