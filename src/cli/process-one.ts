import { failure } from '../base/errors.ts';
import type { Emit } from '../base/fact.ts';

/** Warns when the agent is process 1: orphans of a container become its children, and Node reaps only its own. */
export function warnAsProcessOne(emit: Emit): void {
  if (process.pid !== 1) return;
  emit({ kind: 'agent-warning', warning: failure('AGENT_PID_ONE', 'process', 'the agent is process 1') });
}
