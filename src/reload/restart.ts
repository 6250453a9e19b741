import type { SupervisedChild } from '../process/supervised-child.ts';
import { createChildStep } from './child-step.ts';
import type { ReloadAction } from './reload.ts';

/**
 * Starts the child anew for a generation of an output. The running child is stopped first; the values that the next one
 * gets were fetched and rendered before that. Failure: RELOAD_NOT_PERMITTED. A child that cannot be started, or ends at
 * once, is no failure of this step: `SupervisedChild` reports it.
 * @param output the output's directory, or `exec.env`.
 */
export function createChildRestart(place: string, output: string, child: SupervisedChild | undefined): ReloadAction {
  const timeoutMs = child?.graceMs ?? 0;
  return createChildStep({ kind: 'restart', place, timeoutMs }, output, child, (supervised, wanted) =>
    supervised.restart(place, wanted),
  );
}
