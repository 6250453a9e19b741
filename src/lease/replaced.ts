import type { Backend, Life, OldValue, Want } from '../backend/backend.ts';

/** A value that another one has taken the place of, and what can still be done about it. */
export interface Replaced {
  readonly want: Want;
  readonly backend: Backend;
  /** All names that the secret had then. */
  readonly names: ReadonlySet<string>;
  readonly old: OldValue;
}

/**
 * Whether something is still to be done about a value that was replaced: a lease may have to be renewed while an output
 * holds on to it, and `revokeOld` asks to end leases and certificates. Other values need nothing.
 */
export function outlivesReplacement({ request: { upkeep } }: Want, life: Life): boolean {
  if (life.kind === 'lease') return true;
  return life.kind === 'certificate' && !life.stored && upkeep?.revokeOldAfterMs !== undefined;
}
