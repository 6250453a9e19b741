import type { SupervisedChild } from '../process/supervised-child.ts';
import { createChildStep } from './child-step.ts';
import type { ReloadAction } from './reload.ts';

/**
 * Starts the child anew with the variables of the generation. The running child is stopped first; the values that the
 * next one gets were fetched and rendered before that. Failure: RELOAD_NOT_PERMITTED. A child that cannot be started,
 * or ends at once, is no failure of this step: `SupervisedChild` reports it.
 *
 * @param timeoutMs how long the running child may take to stop.
 */
export function createRestart(child: SupervisedChild, place: string, timeoutMs: number): ReloadAction {
  return {
    kind: 'restart',
    place,
    timeoutMs,
    run: (generation, _signal, isAskedFor = false) => child.restart(place, isAskedFor ? undefined : generation),
  };
}

/** Starts the child anew for a generation of an output's files, which is numbered apart from that of the variables. */
export function createChildRestart(child: SupervisedChild | undefined, place: string): ReloadAction {
  const timeoutMs = child?.graceMs ?? 0;
  return createChildStep({ kind: 'restart', place, timeoutMs }, child, (supervised) => supervised.restart(place));
}
