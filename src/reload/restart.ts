import type { SupervisedChild } from '../process/supervised-child.ts';
import { createChildStep } from './child-step.ts';
import type { ReloadAction } from './reload.ts';

/**
 * Starts the child anew with the variables of the generation: the old one is stopped first, and the values that the new
 * one gets were fetched and rendered before. Failures: RELOAD_NOT_PERMITTED. That the new one cannot be started, or
 * ends at once, is no failure of the reload: the child's owner tells it.
 *
 * @param timeoutMs how long the old one may take to stop.
 */
export function createRestart(child: SupervisedChild, place: string, timeoutMs: number): ReloadAction {
  return {
    kind: 'restart',
    place,
    timeoutMs,
    run: (generation, _signal, isAskedFor = false) => child.restart(place, isAskedFor ? undefined : generation),
  };
}

/** The same for an output, whose generations are not those of the variables. */
export function createChildRestart(child: SupervisedChild | undefined, place: string): ReloadAction {
  const timeoutMs = child?.graceMs ?? 0;
  return createChildStep({ kind: 'restart', place, timeoutMs }, child, (it) => it.restart(place));
}
