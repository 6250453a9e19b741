import { failure } from '../base/errors.ts';
import type { Emit } from '../base/fact.ts';

/** Orphans of a container become children of process 1, and Node reaps its own children only. */
export function warnAsProcessOne(emit: Emit): void {
  if (process.pid !== 1) return;
  emit({ kind: 'agent-warning', warning: failure('AGENT_PID_ONE', 'process', 'the agent is process 1') });
}
