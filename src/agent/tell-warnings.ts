import type { Emit } from '../base/fact.ts';
import type { Plan } from './plan.ts';

/** Reports the warnings of a plan that is taken. What the path of a secret looks like is left to its first answer. */
export function tellWarnings({ warnings }: Plan, emit: Emit): void {
  for (const warning of warnings) if (warning.code !== 'SECRET_IS_KV') emit({ kind: 'agent-warning', warning });
}
