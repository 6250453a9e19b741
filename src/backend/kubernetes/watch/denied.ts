import { type Failure, failure } from '../../../base/errors.ts';
import type { Emit } from '../../../base/fact.ts';

/** Warns that an object cannot be watched: its changes are seen at `refresh` then, and not at once. */
export function warnDenied(emit: Emit): (why: Failure) => void {
  return ({ code, place, seen, hint }) => {
    const warning = failure(code, place, `${seen}; it is polled at refresh instead`, { hint });
    emit({ kind: 'agent-warning', warning });
  };
}
