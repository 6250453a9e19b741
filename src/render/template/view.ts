import type { SecretEntry, Snapshot } from '../../lease/snapshot.ts';
import type { View } from './evaluate.ts';

/** The values of a snapshot, as templates and formats read them. */
export function viewOf(snapshot: Snapshot): View {
  return (name) => {
    const entry = snapshot.get(name);
    return entry === undefined || entry.state === 'absent' ? undefined : entry.value.fields;
  };
}

/** The names without a value yet. An optional secret that is absent is not among them: it is not waited for. */
export function missingIn(snapshot: Snapshot, wants: Iterable<string>): readonly string[] {
  return [...wants].filter((name) => isAwaited(snapshot.get(name)));
}

const isAwaited = (entry: SecretEntry | undefined): boolean =>
  entry === undefined || (entry.state === 'absent' && !entry.optional);
